/** Damages files in ways that reveal mistakes in readers. */

import fc from "fast-check";

/** One change of a file. Positions are fractions, so that the change applies to files of any length. */
type Change =
  | { readonly kind: "set"; readonly at: number; readonly bytes: readonly number[] }
  | { readonly kind: "insert"; readonly at: number; readonly bytes: readonly number[] }
  | { readonly kind: "remove"; readonly at: number; readonly length: number }
  | { readonly kind: "copy"; readonly at: number; readonly from: number; readonly length: number }
  | { readonly kind: "truncate"; readonly at: number };

const place = fc.noBias(fc.integer({ min: 0, max: 2 ** 30 - 1 })).map((value) => value / 2 ** 30);
const byte = fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.integer({ min: 0, max: 255 }));
/** Integers that are likely wrong lengths and offsets. */
const numbers = fc.constantFrom(
  0n,
  1n,
  0x7fffn,
  0xffffn,
  0x7fffffffn,
  0xffffffffn,
  2n ** 53n,
  2n ** 63n,
  2n ** 64n - 1n,
);
const word = fc.tuple(numbers, fc.constantFrom(2, 4, 8), fc.boolean()).map(([value, width, little]) => {
  const bytes = Array.from({ length: width }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
  return little ? bytes : bytes.reverse();
});
const bytes = fc.oneof(fc.array(byte, { minLength: 1, maxLength: 4 }), word);
const length = fc.integer({ min: 1, max: 64 });

const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("set" as const), at: place, bytes }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("insert" as const), at: place, bytes }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("remove" as const), at: place, length }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("copy" as const), at: place, from: place, length }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("truncate" as const), at: place }) },
);

/** One of these files, damaged in one to four places. */
export function damaged(files: readonly Uint8Array[]): fc.Arbitrary<Uint8Array<ArrayBuffer>> {
  return fc.tuple(fc.nat(files.length - 1), fc.array(change, { minLength: 1, maxLength: 4 }))
    .map(([file, changes]) => changes.reduce(apply, new Uint8Array(files[file]!)));
}

function apply(bytes: Uint8Array<ArrayBuffer>, change: Change): Uint8Array<ArrayBuffer> {
  const at = Math.floor(change.at * bytes.length);
  switch (change.kind) {
    case "set": {
      const changed = bytes.slice();
      change.bytes.forEach((value, i) => changed[at + i] = value);
      return changed;
    }
    case "insert":
      return Uint8Array.from([...bytes.subarray(0, at), ...change.bytes, ...bytes.subarray(at)]);
    case "remove":
      return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + change.length)]);
    case "copy": {
      const from = Math.floor(change.from * bytes.length);
      const changed = bytes.slice();
      changed.copyWithin(at, from, from + change.length);
      return changed;
    }
    case "truncate":
      return bytes.slice(0, at);
  }
}

/** Replacements for a value in JSON. */
const jsonWord = fc.oneof(
  fc.constantFrom(
    "null",
    "true",
    "-1",
    "0.5",
    "1e999",
    "9007199254740993",
    "[]",
    "{}",
    '""',
    '"F64"',
    "[[1]]",
  ),
  fc.integer().map(String),
  fc.json(),
);

/** One of these JSON texts, with one to three values replaced. */
export function damagedJson(texts: readonly string[]): fc.Arbitrary<Uint8Array<ArrayBuffer>> {
  return fc.tuple(
    fc.nat(texts.length - 1),
    fc.array(fc.tuple(place, jsonWord), { minLength: 1, maxLength: 3 }),
  )
    .map(([text, changes]) => {
      const words = texts[text]!.match(/"[^"]*"|[\w.+-]+|[^\s]/g) ?? [];
      // Punctuation and names stay. Otherwise hardly any text would still be JSON.
      const values = [...words.keys()].filter((i) => /["\w]/.test(words[i]!) && words[i + 1] !== ":");
      for (const [at, word] of changes) words[values[Math.floor(at * values.length)]!] = word;
      return new TextEncoder().encode(words.join(""));
    });
}
