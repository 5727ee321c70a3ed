import assert from "node:assert/strict";
import { FormatError } from "../../src/errors.ts";
import { decodePng } from "../../src/formats/pictures/png_reader.ts";
import { escaped, escapedLines, printable } from "../../src/formats/text.ts";

Deno.test("escaped() shows the codes of what a terminal would obey, and leaves the rest", () => {
  const cases: [string, string][] = [
    ["plain, Žluťoučký kůň, 日本語, 🐈", "plain, Žluťoučký kůň, 日本語, 🐈"],
    ["\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"],
    ["a\x00\x07\x7f\x9b", "a\\x00\\x07\\x7f\\x9b"],
    ["two\nlines\r", "two\\x0alines\\x0d"],
    ["\u202egnp.exe", "\\u{202e}gnp.exe"],
    ["\u2028\ud800\uffff", "\\u{2028}\\u{d800}\\u{ffff}"],
  ];
  for (const [text, expected] of cases) assert.equal(escaped(text), expected);
  assert.equal(escapedLines("one\n\x1b[2Jtwo"), "one\n\\x1b[2Jtwo");
});

Deno.test("printable() shortens", () => {
  assert.equal(printable("x".repeat(100)), "x".repeat(100));
  assert.equal(printable("x".repeat(101)), `${"x".repeat(100)}…`);
});

Deno.test("the message of an error is one line that commands no terminal, whatever a file holds", () => {
  assert.equal(new FormatError("the checksum of I\n\tT\x1b[2J").message, "the checksum of I T\\x1b[2J");
  const png = Uint8Array.of(
    0x89,
    0x50,
    0x4e,
    0x47,
    0x0d,
    0x0a,
    0x1a,
    0x0a,
    0,
    0,
    0,
    0,
    0x49,
    0x0a,
    0x1b,
    0x54,
    0,
    0,
    0,
    0,
  );
  assert.throws(() => decodePng(png), {
    name: "FormatError",
    message: "PNG: the file is damaged: the checksum of I \\x1bT does not match",
  });
});
