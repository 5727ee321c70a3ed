/** How pickles write numbers and text. */

import type { LineKind } from "./pickle_operations.ts";

/**
 * Digits and bytes of integers that are read: those of 64 bits, with a sign. Longer ones take time that grows with
 * their square, and nothing needs them.
 */
const mostDigits = 21;
const mostBytes = 9;

/** An integer as a number if that is exact, else as a `bigint`. */
function narrowed(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** A little-endian number in two's complement; NaN if it is longer than needed. */
export function longOf(bytes: Uint8Array): number | bigint {
  if (bytes.length > mostBytes) return NaN;
  let value = 0n;
  bytes.forEach((byte, i) => value |= BigInt(byte) << BigInt(8 * i));
  return narrowed(BigInt.asIntN(8 * Math.max(1, bytes.length), value));
}

/** An integer in decimal digits; NaN if it is longer than needed, undefined if it is not an integer. */
export function integerOf(text: string): number | bigint | undefined {
  if (text.length > mostDigits) return NaN;
  return /^\s*[+-]?\d+\s*$/.test(text) ? narrowed(BigInt(text.replace("+", ""))) : undefined;
}

/** A big-endian double. */
export function floatOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getFloat64(0);
}

/** The value of a line of protocol 0; undefined if it is damaged. */
export function lineOf(kind: LineKind, text: string): boolean | number | bigint | string | undefined {
  switch (kind) {
    case "integer":
      // Two digits, as no other number is written, are the truth values.
      return text === "00" ? false : text === "01" ? true : integerOf(text);
    case "long":
      return integerOf(text.replace(/L$/, ""));
    case "float":
      return Number(text.replace(/inf$/, "Infinity"));
    case "string":
      return /^(['"]).*\1$/.test(text) ? unescaped(text.slice(1, -1)) : undefined;
    case "unicode":
      return text.replaceAll(
        /\\u([0-9a-f]{4})|\\U([0-9a-f]{8})/gi,
        (_, short, long) => codePoint(short ?? long),
      );
  }
}

function unescaped(text: string): string {
  return text.replaceAll(
    /\\(?:x([0-9a-f]{2})|(.))/gi,
    (_, code, letter) =>
      code === undefined ? { n: "\n", t: "\t", r: "\r" }[letter as "n"] ?? letter : codePoint(code),
  );
}

function codePoint(hexadecimal: string): string {
  const code = parseInt(hexadecimal, 16);
  return code <= 0x10ffff ? String.fromCodePoint(code) : "\ufffd";
}
