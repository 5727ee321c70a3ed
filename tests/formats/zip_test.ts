import { unzipSync, zipSync } from "fflate";
import assert from "node:assert/strict";
import { FormatError } from "../../src/errors.ts";
import { ZipArchive } from "../../src/formats/zip.ts";
import { zip } from "../../src/formats/zip_writer.ts";
import { refuses } from "../refusal.ts";

const files = new Map([
  ["archive/data/0", Uint8Array.from({ length: 5000 }, (_, i) => (i * i) >> 4)],
  ["leer", new Uint8Array()],
  ["übung/ä", Uint8Array.of(1, 2, 3)],
]);

async function contentsOf(archive: ZipArchive): Promise<Map<string, Uint8Array>> {
  const contents = new Map<string, Uint8Array>();
  for (const name of archive.names) contents.set(name, new Uint8Array(await archive.read(name)));
  return contents;
}

Deno.test("zip() and ZipArchive agree with each other and with fflate, stored, aligned and deflated", async () => {
  for (const options of [{}, { compress: true }, { alignment: 64 }]) {
    const bytes = zip(files, options);
    assert.deepEqual(await contentsOf(new ZipArchive(bytes)), files);
    assert.deepEqual(new Map(Object.entries(unzipSync(bytes))), files);
    assert.deepEqual(zip(files, options), bytes, "the same files give the same bytes");
  }
  for (const level of [0, 9] as const) {
    const bytes = new Uint8Array(zipSync(Object.fromEntries(files), { level }));
    assert.deepEqual(await contentsOf(new ZipArchive(bytes)), files);
  }
});

Deno.test("zip() starts each file's data at a multiple of the alignment", async () => {
  const bytes = zip(files, { alignment: 64 });
  const archive = new ZipArchive(bytes);
  for (const name of archive.names) {
    assert.equal(((await archive.read(name)).byteOffset - bytes.byteOffset) % 64, 0);
  }
});

/** An archive of one file whose bytes at some place are replaced: places count from the directory's entry. */
function changed(places: Readonly<Record<number, number>>, options = {}): Uint8Array<ArrayBuffer> {
  const bytes = zip(new Map([["a", new Uint8Array(100).fill(7)]]), options);
  const view = new DataView(bytes.buffer);
  const directory = view.getUint32(bytes.length - 6, true);
  for (const [place, value] of Object.entries(places)) bytes[directory + Number(place)] = value;
  return bytes;
}

Deno.test("ZipArchive refuses damage, lies about sizes, encryption and unknown methods", async () => {
  const read = async (bytes: Uint8Array<ArrayBuffer>) => await new ZipArchive(bytes).read("a");
  assert.equal((await read(changed({}))).length, 100);
  await refuses(read(changed({ 16: 0 })), FormatError, /damaged: its length or checksum does not match/);
  await refuses(read(changed({ 8: 1 })), FormatError, /encrypted/);
  await refuses(read(changed({ 10: 12 })), FormatError, /unknown method 12/);
  await refuses(read(changed({ 24: 99 })), FormatError, /claims 99 bytes out of 100/);
  await refuses(read(changed({ 27: 0x7f }, { compress: true })), FormatError, /claims \d+ bytes out of/);
  await refuses(read(changed({ 24: 50 }, { compress: true })), FormatError, /more than the 50 bytes/);
  await refuses(read(changed({ 42: 9 })), FormatError, /not where the directory says/);
  await refuses(read(changed({ 0: 0 })), FormatError, /directory is damaged/);
  await refuses(new ZipArchive(changed({})).read("b"), FormatError, /no file "b"/);
});

Deno.test("ZipArchive refuses files that overlap, as zip bombs do, and two of one name", () => {
  const two = zip(new Map([["a", new Uint8Array(50)], ["b", new Uint8Array(50)]]));
  const view = new DataView(two.buffer);
  const directory = view.getUint32(two.length - 6, true);
  const overlapping = two.slice();
  overlapping.set(two.subarray(directory + 42, directory + 46), directory + 47 + 42);
  assert.throws(() => new ZipArchive(overlapping), /overlaps another/);
  const twins = two.slice();
  twins[directory + 47 + 46] = 0x61;
  assert.throws(() => new ZipArchive(twins), /two files "a"/);
});

Deno.test("ZipArchive throws nothing but FormatError for truncated archives", async () => {
  const bytes = zip(files, { compress: true });
  for (let length = 0; length < bytes.length; length++) {
    await assert.rejects(async () => await contentsOf(new ZipArchive(bytes.slice(0, length))), FormatError);
  }
});
