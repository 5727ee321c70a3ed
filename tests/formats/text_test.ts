import assert from "node:assert/strict";
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
