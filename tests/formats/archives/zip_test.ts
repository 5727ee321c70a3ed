import { unzipSync, zipSync } from "fflate";
import assert from "node:assert/strict";
import { FormatError } from "../../../src/errors.ts";
import { ZipArchive } from "../../../src/formats/archives/zip.ts";
import { zip, type ZipOptions } from "../../../src/formats/archives/zip_writer.ts";
import { refuses } from "../../refusal.ts";

const files = new Map([
  ["archive/data/0", Uint8Array.from({ length: 5000 }, (_, i) => (i * i) >> 4)],
  ["leer", new Uint8Array()],
  ["übung/ä", Uint8Array.of(1, 2, 3)],
]);
/** Lengths of a directory entry for a file with a name of one letter, and of the end record. */
const entryBytes = 47;
const endBytes = 22;

async function contentsOf(archive: ZipArchive): Promise<Map<string, Uint8Array>> {
  const contents = new Map<string, Uint8Array>();
  for (const name of archive.names) contents.set(name, new Uint8Array(await archive.read(name, 2 ** 20)));
  return contents;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function directoryOf(bytes: Uint8Array): number {
  return viewOf(bytes).getUint32(bytes.length - 6, true);
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
  assert.deepEqual(new ZipArchive(zip(new Map())).names, []);
});

Deno.test("ZipArchive says names and sizes, and gives stored files without a copy", async () => {
  const bytes = zip(files);
  const archive = new ZipArchive(bytes);
  assert.deepEqual(archive.names, [...files.keys()]);
  assert.deepEqual(archive.names.map((name) => archive.size(name)), [5000, 0, 3]);
  assert(archive.has("leer") && !archive.has("voll"));
  assert.throws(() => archive.size("voll"), { name: "FormatError", message: 'zip: there is no file "voll"' });
  assert.equal((await archive.read("archive/data/0", 2 ** 20)).buffer, bytes.buffer);
});

Deno.test("zip() starts each file's data at a multiple of the alignment", async () => {
  for (const alignment of [2, 3, 64, 4096]) {
    const bytes = zip(files, { alignment });
    const archive = new ZipArchive(bytes);
    for (const name of archive.names) {
      assert.equal(((await archive.read(name, 2 ** 20)).byteOffset - bytes.byteOffset) % alignment, 0);
    }
  }
});

Deno.test("zip() refuses what the format's fields cannot hold", () => {
  const huge = Object.defineProperty(new Uint8Array(), "length", { value: 2 ** 32 });
  const many = Array.from({ length: 65535 }, (_, i): [string, Uint8Array] => [`${i}`, new Uint8Array()]);
  const cases: [[string, Uint8Array][], ZipOptions, RegExp][] = [
    [[["a", huge]], {}, /4 GiB/],
    [[["a", huge]], { compress: true }, /4 GiB/],
    [many, {}, /65535 files; at most 65534/],
    [[["ä".repeat(40_000), new Uint8Array()]], {}, /too long/],
    ...[0, -1, 1.5, NaN, 65536].map((
      alignment,
    ): [[], ZipOptions, RegExp] => [[], { alignment }, /alignment/]),
  ];
  for (const [contents, options, message] of cases) {
    assert.throws(() => zip(new Map(contents), options), { name: "FormatError", message });
  }
  assert.equal(new ZipArchive(zip(new Map(many.slice(1)))).names.length, 65534);
});

/** An archive of one file with some bytes replaced. Positions count from the start of the directory entry. */
function changed(places: Readonly<Record<number, number>>, options = {}): Uint8Array<ArrayBuffer> {
  const bytes = zip(new Map([["a", new Uint8Array(100).fill(7)]]), options);
  const directory = directoryOf(bytes);
  for (const [place, value] of Object.entries(places)) bytes[directory + Number(place)] = value;
  return bytes;
}

async function read(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return await new ZipArchive(bytes).read("a", 2 ** 24);
}

Deno.test("ZipArchive refuses damage, lies about sizes, encryption and unknown methods", async () => {
  assert.equal((await read(changed({}))).length, 100);
  await refuses(read(changed({ 16: 0 })), FormatError, /damaged: its length or checksum does not match/);
  await refuses(read(changed({ 8: 1 })), FormatError, /encrypted/);
  await refuses(read(changed({ 10: 12 })), FormatError, /unknown method 12/);
  await refuses(read(changed({ 24: 99 })), FormatError, /claims 99 bytes out of 100/);
  await refuses(read(changed({ 27: 0x7f }, { compress: true })), FormatError, /claims \d+ bytes out of/);
  await refuses(
    read(changed({ 24: 50 }, { compress: true })),
    FormatError,
    /^zip: .* more than the 50 bytes/,
  );
  await refuses(read(changed({ 24: 101 }, { compress: true })), FormatError, /length or checksum/);
  await refuses(read(changed({ 42: 9 })), FormatError, /overlaps another/);
  await refuses(read(changed({ 45: 0xff })), FormatError, /overlaps another/);
  await refuses(read(changed({ 0: 0 })), FormatError, /directory is damaged/);
  await refuses(
    read(changed({ [entryBytes + 8]: 0, [entryBytes + 10]: 0 })),
    FormatError,
    /end after 0 files/,
  );
  await refuses(new ZipArchive(changed({})).read("b", 2 ** 20), FormatError, /no file "b"/);
});

Deno.test("ZipArchive reads a file whatever is wrong with the contents of another", async () => {
  const files = zip(new Map([["a", new Uint8Array(10)], ["b", Uint8Array.of(7)]]));
  for (const [field, value] of [[8, 1], [10, 12]] as const) {
    const bytes = files.slice();
    bytes[directoryOf(bytes) + field] = value;
    assert.deepEqual(await new ZipArchive(bytes).read("b", 2 ** 20), Uint8Array.of(7));
  }
});

Deno.test("ZipArchive refuses damaged data, and local headers that contradict the directory", async () => {
  const damaged = changed({}, { compress: true });
  damaged.fill(0xff, 31, 34);
  await refuses(read(damaged), FormatError, /^zip: file "a": compressed data are damaged/);
  const encrypted = changed({});
  encrypted[6] = 1;
  await refuses(read(encrypted), FormatError, /encrypted/);
  const renamed = changed({});
  renamed[30] = 0x62;
  await refuses(read(renamed), FormatError, /another name in its own header/);
});

Deno.test("ZipArchive allows what deflate can gain, and no more", async () => {
  const zeros = new Map([["a", new Uint8Array(10_000_000)]]);
  const bytes = zip(zeros, { compress: true });
  assert.equal((await read(bytes)).length, 10_000_000);
  const view = viewOf(bytes);
  const directory = directoryOf(bytes);
  const compressed = view.getUint32(directory + 20, true);
  view.setUint32(directory + 24, 1032 * compressed, true);
  assert.equal(new ZipArchive(bytes).size("a"), 1032 * compressed);
  view.setUint32(directory + 24, 1032 * compressed + 1, true);
  assert.throws(() => new ZipArchive(bytes), /claims \d+ bytes out of/);
});

Deno.test("ZipArchive refuses files that overlap, as zip bombs do, and two of one name", () => {
  const two = zip(new Map([["a", new Uint8Array(50)], ["b", new Uint8Array(50)]]));
  const directory = directoryOf(two);
  const second = directory + entryBytes;
  const overlapping = two.slice();
  overlapping.set(two.subarray(directory + 42, directory + 46), second + 42);
  assert.throws(() => new ZipArchive(overlapping), /overlaps another/);
  const longer = two.slice();
  for (const place of [20, 24]) viewOf(longer).setUint32(directory + place, 51, true);
  assert.throws(() => new ZipArchive(longer), /overlaps another/);
  const intoDirectory = two.slice();
  for (const place of [20, 24]) viewOf(intoDirectory).setUint32(second + place, 51, true);
  assert.throws(() => new ZipArchive(intoDirectory), /overlaps another/);
  const twins = two.slice();
  twins[second + 46] = 0x61;
  assert.throws(() => new ZipArchive(twins), /two files "a"/);
});

/** One stored file that has everything in zip64 records. The given values may be wrong. */
function zip64(
  lies: { size?: bigint; offset?: bigint; count?: bigint; start?: bigint; record?: bigint } = {},
) {
  const plain = zip(new Map([["a", new Uint8Array(100).fill(7)]]));
  const directory = directoryOf(plain);
  const recordAt = directory + entryBytes + 28;
  const bytes = new Uint8Array(recordAt + 56 + 20 + endBytes);
  bytes.set(plain.subarray(0, directory + entryBytes));
  const view = viewOf(bytes);
  for (const place of [20, 24, 42]) view.setUint32(directory + place, 0xffffffff, true);
  view.setUint16(directory + 30, 28, true);
  const words = (at: number, ...values: bigint[]) =>
    values.forEach((value, i) => view.setBigUint64(at + 8 * i, value, true));
  view.setUint32(directory + entryBytes, 24 << 16 | 1, true);
  const { size = 100n, offset = 0n, count = 1n, start = BigInt(directory) } = lies;
  words(directory + entryBytes + 4, size, size, offset);
  view.setUint32(recordAt, 0x06064b50, true);
  words(recordAt + 4, 44n);
  words(recordAt + 24, count, count, BigInt(recordAt - directory), start);
  view.setUint32(recordAt + 56, 0x07064b50, true);
  words(recordAt + 64, lies.record ?? BigInt(recordAt));
  bytes.set(plain.subarray(-endBytes), recordAt + 76);
  view.setUint32(bytes.length - 6, 0xffffffff, true);
  return bytes;
}

Deno.test("ZipArchive reads zip64 records, and refuses those that lie", async () => {
  assert.deepEqual(new Uint8Array(await read(zip64())), new Uint8Array(100).fill(7));
  for (const lie of [2n ** 32n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n]) {
    for (const field of ["size", "offset", "count", "start", "record"]) {
      await refuses(read(zip64({ [field]: lie })), FormatError, /^zip: /);
    }
  }
  await refuses(read(zip64({ size: 2n ** 53n })), FormatError, /no archive has 9007199254740992 bytes/);
  await refuses(read(zip64({ count: 2n })), FormatError, /directory is damaged/);
});

Deno.test("ZipArchive refuses more than a hundred thousand files", () => {
  const count = 100_001;
  const bytes = new Uint8Array(count * 46 + 56 + 20 + endBytes);
  const tail = zip64();
  bytes.set(tail.subarray(-(56 + 20 + endBytes)), count * 46);
  const view = viewOf(bytes);
  const record = count * 46;
  for (const place of [24, 32]) view.setBigUint64(record + place, BigInt(count), true);
  view.setBigUint64(record + 40, BigInt(record), true);
  view.setBigUint64(record + 48, 0n, true);
  view.setBigUint64(record + 64, BigInt(record), true);
  assert.throws(() => new ZipArchive(bytes), /100001 files; at most 100000/);
});

Deno.test("ZipArchive allows a comment, but nothing else, at the end", () => {
  const plain = zip(files);
  const comment = new TextEncoder().encode("no PK\x05\x06 record, but a comment that is long enough for one");
  const bytes = new Uint8Array([...plain, ...comment]);
  assert.throws(() => new ZipArchive(bytes), FormatError);
  viewOf(bytes).setUint16(plain.length - 2, comment.length, true);
  assert.deepEqual(new ZipArchive(bytes).names, [...files.keys()]);
});

Deno.test("ZipArchive throws nothing but FormatError for truncated archives", async () => {
  const commented = new Uint8Array([...zip(files), 0x21, 0x21]);
  commented[commented.length - 4] = 2;
  for (
    const bytes of [
      zip(files),
      zip(files, { compress: true }),
      zip(files, { alignment: 64 }),
      zip64(),
      commented,
    ]
  ) {
    assert((await contentsOf(new ZipArchive(bytes))).size > 0);
    for (let length = 0; length < bytes.length; length++) {
      await refuses(
        (async () => await contentsOf(new ZipArchive(bytes.slice(0, length))))(),
        FormatError,
        /^zip: /,
      );
    }
  }
});
