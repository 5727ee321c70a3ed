import { gzipSync } from "fflate";
import assert from "node:assert/strict";
import { gunzip, gunzipped } from "../../src/data/gunzip.ts";
import { FormatError } from "../../src/errors.ts";
import { concatenate } from "../../src/formats/bytes.ts";
import { crc32 } from "../../src/formats/archives/crc32.ts";
import { refuses } from "../refusal.ts";

const contents = Uint8Array.from({ length: 200_000 }, (_, i) => (i * i) >> 3);
const parts = [contents.subarray(0, 70_000), contents.subarray(70_000, 70_000), contents.subarray(70_000)];
const file = gzipSync(contents);
const most = contents.length;

Deno.test("gunzip() reads one member or several, and zeros behind them", async () => {
  const members = parts.map((part) => gzipSync(part));
  for (const zeros of [0, 1, 512]) {
    assert.deepEqual(await gunzip(concatenate([file, new Uint8Array(zeros)]), most), contents);
    assert.deepEqual(await gunzip(concatenate([...members, new Uint8Array(zeros)]), most), contents);
  }
});

Deno.test("gunzip() passes over all that a header may hold", async () => {
  // RFC 1952, section 2.3: extra fields, a name, a comment, and a checksum of the header.
  const text = (value: string) => new TextEncoder().encode(value);
  const flags = 2 | 4 | 8 | 16;
  const fields = [4, 0, ...text("abcd"), ...text("name\0"), ...text("comment\0")];
  const header = Uint8Array.of(0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3, ...fields);
  const checksum = crc32(header) & 0xffff;
  const whole = concatenate([header, Uint8Array.of(checksum & 0xff, checksum >> 8), file.subarray(10)]);
  assert.deepEqual(await gunzip(whole, most), contents);
});

Deno.test("gunzip() refuses more than it is told to expect, without unpacking it all", async () => {
  await refuses(
    gunzip(file, most - 1),
    FormatError,
    /unpack to more than the 199999 bytes that are expected/,
  );
  await refuses(gunzip(gzipSync(new Uint8Array(2 ** 26)), 1000), FormatError, /more than the 1000 bytes/);
});

Deno.test("gunzip() refuses files that are truncated, changed in any byte, or none", async () => {
  const damage = /compressed data are damaged or truncated/;
  await refuses(gunzip(contents, most), FormatError, damage);
  await refuses(gunzip(new Uint8Array(), most), FormatError, damage);
  for (const length of [5, 1000, file.length - 1]) {
    await refuses(gunzip(file.subarray(0, length), most), FormatError, damage);
  }
  const small = gzipSync(contents.subarray(0, 3000));
  for (let position = 10; position < small.length; position += 37) {
    const changed = small.slice();
    changed[position]! ^= 16;
    await assert.rejects(gunzip(changed, most), FormatError, `byte ${position}`);
  }
});

Deno.test("gunzipped() passes an error of its source on, and may be left early", async () => {
  async function* failing() {
    yield await Promise.resolve(file.subarray(0, 100));
    throw new RangeError("the disk is gone");
  }
  await assert.rejects(Array.fromAsync(gunzipped(failing())), RangeError);
  for await (const piece of gunzipped([file])) {
    assert(piece.length > 0 && piece.length < contents.length);
    break;
  }
});
