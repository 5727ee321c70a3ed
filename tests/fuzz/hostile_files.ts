/** Files made to exhaust a reader's memory or time: about a hundred, of every format that is read. */

import { concatenate } from "../../src/formats/bytes.ts";
import { crc32 } from "../../src/formats/archives/crc32.ts";
import { jpegSamples } from "../formats/pictures/picture_samples.ts";
import { gzip, idx, tar } from "../formats/samples.ts";
import { deflateBomb, gzipBomb, repeated, zipOf, zlibBomb } from "./bombs.ts";
import { bytesOf, hostilePickles } from "./hostile_pickles.ts";
import type { HostileKind } from "./hostile_reader.ts";

export interface HostileFile {
  readonly kind: HostileKind;
  readonly name: string;
  /** The files by their names in the folder. Only data sets need more than one. */
  readonly files: Readonly<Record<string, () => Uint8Array>>;
}

const zeros = new Uint8Array(2 ** 20);
const mebibyte = 2 ** 20;
const text = (value: string) => new TextEncoder().encode(value);

const one = (kind: HostileKind, name: string, make: () => Uint8Array): HostileFile => ({
  kind,
  name,
  files: { file: make },
});

export function hostileFiles(): HostileFile[] {
  return [
    ...hostilePickles().map(([name, make]) => one("model", `pickle: ${name}`, make)),
    ...tensorFiles().map(([name, make]) => one("model", `safetensors: ${name}`, make)),
    ...archives().map(([name, make]) => one("model", `zip: ${name}`, make)),
    ...arrays().map(([name, make]) => one("npz", `npz: ${name}`, make)),
    ...pictures().map(([name, make]) => one("picture", name, make)),
    ...dataSets(),
  ];
}

type Made = [name: string, make: () => Uint8Array];

function withHeader(header: Uint8Array, bodyBytes = 0): Uint8Array {
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(header.length), true);
  return concatenate([length, header, new Uint8Array(bodyBytes)]);
}

function tensorFiles(): Made[] {
  const filled = (start: string, pattern: string, end: string, bytes = 2 ** 24) =>
    withHeader(concatenate([
      text(start),
      repeated(text(pattern), Math.floor((bytes - start.length - end.length) / pattern.length)),
      text(end),
    ]));
  const empty = (count: number, name: (i: number) => string) =>
    withHeader(
      text(`{${
        Array.from(
          { length: count },
          (_, i) => `"${name(i)}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`,
        ).join(",")
      }}`),
    );
  return [
    ["a header of 90 MB", () => filled('{"a":[', "{},", "{}]}", 90 * mebibyte)],
    ["empty objects", () => filled('{"a":[', "{},", "{}]}")],
    ["empty lists", () => filled('{"a":[', "[],", "[]]}")],
    ["numbers", () => filled('{"a":{"dtype":"U8","shape":[', "1,", '1],"data_offsets":[0,0]}}')],
    ["deep lists", () => filled('{"a":', "[", "}")],
    ["deep objects", () => filled("{", '"a":{', "}")],
    ["blanks", () => filled("{", " ", "}")],
    ["an endless text", () => filled('{"', "a", '":0}')],
    ["escapes", () => filled('{"', "\\u0000", '":0}')],
    ["a name of megabytes twice", () => {
      const name = "a".repeat(2 ** 22);
      return withHeader(text(`{"${name}":0,"${name}":0}`));
    }],
    ["150,000 tensors without elements", () => empty(150_000, (i) => `t${i}`)],
    ["90,000 tensors without elements", () => empty(90_000, (i) => `f.layer${i}.conv1.weight`)],
    ["names of long paths", () => empty(3000, (i) => `${"a.".repeat(2000)}${i}.f.conv1.weight`)],
    ["one name thousands of times", () => empty(90_000, () => "a")],
    ["metadata", () => filled('{"__metadata__":{"a":"', "x", '"}}')],
  ];
}

function archives(): Made[] {
  const nested = (depth: number): Uint8Array =>
    zipOf([{ name: "a/data.pkl", data: depth === 0 ? bytesOf("}.") : nested(depth - 1) }]);
  return [
    ["archives in archives", () => nested(20)],
    [
      "20,000 files",
      () =>
        zipOf(Array.from({ length: 20_000 }, (_, i) => ({ name: `a/data/${i}`, data: new Uint8Array() }))),
    ],
    ["long names", () =>
      zipOf(
        Array.from(
          { length: 50 },
          (_, i) => ({ name: `${i}${"x".repeat(60_000)}`, data: new Uint8Array() }),
        ),
      )],
    ["a byte order of 200 MB", () =>
      zipOf([
        { name: "a/data.pkl", data: bytesOf("}.") },
        {
          name: "a/byteorder",
          data: deflateBomb(new Uint8Array(), zeros, 200 * mebibyte),
          claim: { size: 200 * mebibyte, crc: 0 },
        },
      ])],
    ["files that overlap", () => overlapping(2000)],
    [
      "a comment that looks like an end",
      () => concatenate([repeated(Uint8Array.of(0x50, 0x4b, 5, 6), 2 ** 18), new Uint8Array(18)]),
    ],
  ];
}

/** A directory in which all entries are the same file. */
function overlapping(times: number): Uint8Array {
  const kernel = deflateBomb(new Uint8Array(), zeros, 16 * mebibyte);
  const whole = zipOf([{ name: "a", data: kernel, claim: { size: 16 * mebibyte, crc: 0 } }]);
  const directory = whole.length - 22 - 47;
  const entries = Array.from({ length: times }, (_, i) => {
    const entry = whole.slice(directory, directory + 47);
    entry[46] = 0x20 + i % 90;
    return entry;
  });
  const end = whole.slice(-22);
  const view = new DataView(end.buffer);
  for (const at of [8, 10]) view.setUint16(at, times, true);
  view.setUint32(12, 47 * times, true);
  return concatenate([whole.subarray(0, directory), ...entries, end]);
}

function arrays(): Made[] {
  const header = (shape: string) => {
    const dictionary = `{'descr': '<f8', 'fortran_order': False, 'shape': (${shape}), }`.padEnd(117) + "\n";
    return concatenate([Uint8Array.of(0x93), text("NUMPY"), Uint8Array.of(1, 0, 118, 0), text(dictionary)]);
  };
  const bomb = (bytes: number, shape: string, files = 1) => {
    const data = deflateBomb(header(shape), zeros, bytes);
    const claim = { size: bytes + header(shape).length, crc: 0 };
    return zipOf(Array.from({ length: files }, (_, i) => ({ name: `${i}.npy`, data, claim })));
  };
  return [
    ["an array of a gigabyte", () => bomb(1024 * mebibyte, "134217728,")],
    ["an array of 60 MB with a wrong checksum", () => bomb(60 * mebibyte, "7864320,")],
    ["many arrays", () => bomb(40 * mebibyte, "5242880,", 30)],
    [
      "a shape of more than there is",
      () => zipOf([{ name: "a.npy", data: concatenate([header("9007199254740991,"), new Uint8Array(8)]) }]),
    ],
  ];
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = concatenate([new Uint8Array(4), text(type), data, new Uint8Array(4)]);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  view.setUint32(bytes.length - 4, crc32(bytes.subarray(4, -4)));
  return bytes;
}

function png(
  width: number,
  height: number,
  [depth, colour, interlaced]: readonly [number, number, number],
  data: readonly Uint8Array[],
): Uint8Array {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([depth, colour, 0, 0, interlaced], 8);
  return concatenate([Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10), chunk("IHDR", header), ...data]);
}

function pictures(): Made[] {
  const rows = (bytes: number) => chunk("IDAT", zlibBomb(new Uint8Array(), zeros, bytes));
  return [
    ["PNG: 200 megapixels in 600 kB", () => png(14_000, 14_000, [8, 2, 0], [rows(590 * mebibyte)])],
    ["PNG: rows of a gigabyte behind a small picture", () => png(4, 4, [8, 2, 0], [rows(1024 * mebibyte)])],
    ["PNG: 23 megapixels that are cut off", () => png(5000, 4600, [8, 2, 0], [rows(65 * mebibyte)])],
    ["PNG: 23 megapixels of 16 bits, cut off", () => png(5000, 4600, [16, 6, 0], [rows(174 * mebibyte)])],
    ["PNG: 23 megapixels, interlaced, cut off", () => png(5000, 4600, [8, 2, 1], [rows(65 * mebibyte)])],
    ["PNG: one row of 23 megapixels", () => png(23_000_000, 1, [8, 2, 0], [rows(65 * mebibyte)])],
    [
      "PNG: empty chunks of data",
      () => png(4, 4, [8, 2, 0], [repeated(chunk("IDAT", new Uint8Array()), 1_000_000)]),
    ],
    ["PNG: other chunks", () => png(4, 4, [8, 2, 0], [repeated(chunk("teXt", new Uint8Array()), 1_000_000)])],
    [
      "PNG: compressed text of a gigabyte",
      () => png(4, 4, [8, 2, 0], [chunk("zTXt", zlibBomb(new Uint8Array(), zeros, 1024 * mebibyte))]),
    ],
    ["JPEG: 199 scans of a large picture", () => scans(199, 4000, 4000)],
    ["JPEG: 99 scans of a large picture", () => scans(99, 4000, 4000)],
    ["JPEG: 99 scans of a picture of a megapixel", () => scans(99, 1000, 1000)],
    ["JPEG: 6 scans of 16 megapixels", () => scans(6, 4000, 4000)],
    ["JPEG: 65,500×65,500 pixels", () => scans(1, 65_500, 65_500)],
    ["JPEG: 33 megapixels of four colours, padded", () => padded(resized("CMYK", 5700, 5700), 2_000_000)],
    ["JPEG: a million markers", () =>
      concatenate([
        Uint8Array.of(0xff, 0xd8),
        repeated(Uint8Array.of(0xff, 0xe2, 0, 2), 2_000_000),
      ])],
  ];
}

/** A picture whose header states a different size. */
function resized(sample: string, width: number, height: number): Uint8Array<ArrayBuffer> {
  const bytes = Uint8Array.from(jpegSamples.get(sample)!.file);
  const frame = bytes.findIndex((byte, i) => byte === 0xff && [0xc0, 0xc1, 0xc2].includes(bytes[i + 1]!));
  const view = new DataView(bytes.buffer);
  view.setUint16(frame + 5, height);
  view.setUint16(frame + 7, width);
  return bytes;
}

/** A progressive picture of a given size whose last scan is repeated. */
function scans(count: number, width: number, height: number): Uint8Array {
  const bytes = resized("progressive", width, height);
  const starts = [...bytes.keys()].filter((i) => bytes[i] === 0xff && bytes[i + 1] === 0xda);
  const last = bytes.subarray(starts.at(-1)!, -2);
  const own = padded(
    concatenate([bytes.subarray(0, -2), repeated(last, Math.max(0, count - starts.length))]),
    40_000,
  );
  return concatenate([own, Uint8Array.of(0xff, 0xd9)]);
}

/** Adds comments at the start that make the file larger. */
function padded(bytes: Uint8Array, length: number): Uint8Array {
  const comment = concatenate([Uint8Array.of(0xff, 0xfe, 0xff, 0xff), new Uint8Array(65_533)]);
  return concatenate([
    bytes.subarray(0, 2),
    repeated(comment, Math.ceil(length / comment.length)),
    bytes.subarray(2),
  ]);
}

function dataSets(): HostileFile[] {
  const idxHeader = (shape: readonly number[]) => idx(shape, []);
  const labels = () => gzip(idx([10_000], new Uint8Array(10_000)));
  const mnist = (name: string, images: () => Uint8Array, other: () => Uint8Array = labels): HostileFile => ({
    kind: "mnist",
    name: `MNIST: ${name}`,
    files: { "t10k-images-idx3-ubyte.gz": images, "t10k-labels-idx1-ubyte.gz": other },
  });
  const svhn = (name: string, make: () => Uint8Array): HostileFile => ({
    kind: "svhn",
    name: `SVHN: ${name}`,
    files: { "test_32x32.mat": make },
  });
  const cifar = (name: string, make: () => Uint8Array): HostileFile => ({
    kind: "cifar10",
    name: `CIFAR-10: ${name}`,
    files: { "cifar-10-binary.tar.gz": make },
  });
  const matHeader = concatenate([new Uint8Array(124), Uint8Array.of(0, 1, 0x49, 0x4d)]);
  const word = (value: number) => new Uint8Array(Uint32Array.of(value).buffer);
  const compressed = (data: Uint8Array) => concatenate([word(15), word(data.length), data]);
  const matrix = (bytes: number) => concatenate([word(14), word(bytes)]);
  const emptyTar = tar({ a: new Uint8Array() }).subarray(0, 512);
  const largeTar = (name: string) => {
    const header = tar({ [name]: new Uint8Array() }).slice(0, 512);
    header.set(text("77777777777\0        "), 124 + 0);
    header.set(text("        "), 148);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.set(text(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
    return header;
  };
  return [
    mnist("images of five gigabytes", () => gzipBomb(idxHeader([10_000, 28, 28]), zeros, 5000 * mebibyte)),
    mnist(
      "labels of a gigabyte",
      () => gzip(idx([1, 28, 28], new Uint8Array(784))),
      () => gzipBomb(idxHeader([1]), zeros, 1024 * mebibyte),
    ),
    mnist("200,000 empty members", () => repeated(gzip(new Uint8Array()), 200_000)),
    mnist(
      "a header without an end",
      () =>
        concatenate([Uint8Array.of(0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3), repeated(text("a"), 8 * mebibyte)]),
    ),
    mnist(
      "130 MB as they are",
      () => concatenate([idxHeader([170_000, 28, 28]), new Uint8Array(130 * mebibyte)]),
    ),
    svhn(
      "an array of three gigabytes",
      () => concatenate([matHeader, compressed(zlibBomb(matrix(3000 * mebibyte), zeros, 3000 * mebibyte))]),
    ),
    svhn(
      "an array that is what a data set may have, and is no matrix",
      () => concatenate([matHeader, compressed(zlibBomb(matrix(210 * mebibyte), zeros, 210 * mebibyte))]),
    ),
    svhn(
      "60,000 variables",
      () => concatenate([matHeader, repeated(compressed(zlibBomb(matrix(0), new Uint8Array(1), 0)), 60_000)]),
    ),
    svhn("millions of empty variables", () => concatenate([matHeader, repeated(matrix(0), 2_000_000)])),
    svhn("a gzip file of five gigabytes", () => gzipBomb(matHeader, zeros, 5000 * mebibyte)),
    cifar("millions of empty files", () => gzipBomb(new Uint8Array(), emptyTar, 5000 * mebibyte)),
    cifar(
      "a file of eight gigabytes that nobody wants",
      () => gzipBomb(largeTar("a"), zeros, 5000 * mebibyte),
    ),
    cifar("a batch of eight gigabytes", () => gzipBomb(largeTar("test_batch.bin"), zeros, 5000 * mebibyte)),
    {
      kind: "digits",
      name: "digits: lines of a gigabyte",
      files: { "digits.csv.gz": () => gzipBomb(new Uint8Array(), text("0,1,2\n"), 1024 * mebibyte) },
    },
  ];
}
