import { deflateSync, gzipSync, zlibSync } from "fflate";
import assert from "node:assert/strict";
import { FormatError } from "../../../src/errors.ts";
import { crc32 } from "../../../src/formats/archives/crc32.ts";
import { decompress } from "../../../src/formats/archives/decompress.ts";

const contents = Uint8Array.from({ length: 5000 }, (_, i) => (i * i) >> 3);
const compressed = {
  gzip: new Uint8Array(gzipSync(contents)),
  deflate: new Uint8Array(zlibSync(contents)),
  "deflate-raw": new Uint8Array(deflateSync(contents)),
} as const;
const formats = Object.keys(compressed) as (keyof typeof compressed)[];

Deno.test("crc32() gives the check value of its polynomial", () => {
  assert.equal(crc32(new TextEncoder().encode("123456789")), 0xcbf43926);
});

Deno.test("decompress() restores what was compressed, also from inside a larger buffer", async () => {
  for (const format of formats) {
    const bytes = compressed[format];
    assert.deepEqual(await decompress(bytes, format, contents.length), contents);
    const larger = new Uint8Array(bytes.length + 7);
    larger.set(bytes, 3);
    const inside = larger.subarray(3, 3 + bytes.length);
    assert.deepEqual(await decompress(inside, format, contents.length), contents);
  }
});

Deno.test("decompress() refuses more than it is told to expect, without unpacking it all", async () => {
  for (const format of formats) {
    await assert.rejects(decompress(compressed[format], format, contents.length - 1), {
      name: "FormatError",
      message: /unpack to more than the 4999 bytes that are expected/,
    });
  }
  const bomb = new Uint8Array(gzipSync(new Uint8Array(2 ** 26)));
  await assert.rejects(decompress(bomb, "gzip", 1000), FormatError);
});

Deno.test("decompress() refuses gzip data that are truncated or changed in any byte", async () => {
  const bytes = compressed.gzip;
  await assert.rejects(decompress(contents, "gzip", 10_000), FormatError);
  await assert.rejects(decompress(bytes.subarray(0, bytes.length - 9), "gzip", 10_000), FormatError);
  for (let position = 10; position < bytes.length; position += 37) {
    const damaged = bytes.slice();
    damaged[position]! ^= 16;
    await assert.rejects(decompress(damaged, "gzip", 10_000), FormatError, `byte ${position}`);
  }
});
