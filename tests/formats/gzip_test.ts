import { gzipSync } from "fflate";
import assert from "node:assert/strict";
import { FormatError } from "../../src/errors.ts";
import { crc32 } from "../../src/formats/crc32.ts";
import { gunzip } from "../../src/formats/gzip.ts";

const contents = Uint8Array.from({ length: 5000 }, (_, i) => (i * i) >> 3);

Deno.test("crc32() gives the check value of its polynomial", () => {
  assert.equal(crc32(new TextEncoder().encode("123456789")), 0xcbf43926);
});

Deno.test("gunzip() restores what was compressed, also from inside a larger buffer", () => {
  const compressed = gzipSync(contents);
  assert.deepEqual(gunzip(compressed, contents.length), contents);
  const larger = new Uint8Array(compressed.length + 7);
  larger.set(compressed, 3);
  assert.deepEqual(gunzip(larger.subarray(3, 3 + compressed.length), contents.length), contents);
});

Deno.test("gunzip() refuses what is too long, no gzip file, truncated or changed in any byte of its data", () => {
  const compressed = gzipSync(contents);
  assert.throws(
    () => gunzip(compressed, contents.length - 1),
    /unpacks to 5000 bytes, where at most 4999 are expected/,
  );
  assert.throws(() => gunzip(contents, 10000), /not a gzip file/);
  assert.throws(() => gunzip(compressed.subarray(0, compressed.length - 9), 10000), FormatError);
  for (let position = 10; position < compressed.length; position += 37) {
    const damaged = compressed.slice();
    damaged[position]! ^= 16;
    assert.throws(() => gunzip(damaged, 10000), FormatError, `byte ${position}`);
  }
});
