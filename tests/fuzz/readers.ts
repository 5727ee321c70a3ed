/** Every reader of untrusted files, with files to damage, and what every reader must satisfy. */

import { allocatingAtMost } from "./allocation.ts";
import fc from "fast-check";
import assert from "node:assert/strict";
import { zlibSync } from "fflate";
import { loadDigits } from "../../src/data/digits.ts";
import { gunzip } from "../../src/data/gunzip.ts";
import { SadaJemError } from "../../src/errors.ts";
import { concatenate } from "../../src/formats/bytes.ts";
import { crc32 } from "../../src/formats/archives/crc32.ts";
import { decompress } from "../../src/formats/archives/decompress.ts";
import { parseIdx } from "../../src/formats/idx.ts";
import { parseMat } from "../../src/formats/mat.ts";
import { parseNpy, parseNpz, serializeNpy, serializeNpz } from "../../src/formats/npz.ts";
import { parsePickle } from "../../src/formats/pytorch/pickle.ts";
import { decodePicture } from "../../src/formats/pictures/picture.ts";
import { encodePng } from "../../src/formats/pictures/png.ts";
import { parsePyTorch } from "../../src/formats/pytorch/pytorch.ts";
import { type PyTorchContents, serializePyTorch } from "../../src/formats/pytorch/writer.ts";
import {
  type NamedTensor,
  openSafetensors,
  parseSafetensors,
  serializeSafetensors,
} from "../../src/formats/safetensors.ts";
import { readTar } from "../../src/formats/archives/tar.ts";
import { ZipArchive } from "../../src/formats/archives/zip.ts";
import { zip } from "../../src/formats/archives/zip_writer.ts";
import { conv2dTable, parseConv2dTable } from "../../src/tensor/operations/conv2d/table.ts";
import { parseConfiguration } from "../../src/train/configuration.ts";
import { readModelFile } from "../../src/train/checkpoint/import.ts";
import { preset } from "../../src/train/presets.ts";
import { jpegSamples } from "../formats/pictures/picture_samples.ts";
import { gzip, idx, mat, type MatVariable, tar } from "../formats/samples.ts";
import { damaged, damagedJson } from "./mutation.ts";
import { byRanges } from "./ranges.ts";

/** The unpacked size that a reader may expect, where it needs to know. */
const expectedBytes = 100_000;
/** Deflate expands by a factor of 1032 at most. Pictures and numbers take a few bytes for each byte of the file. */
export const justified = (length: number) => 8 * 1032 * length + 2 ** 20;

const text = (value: string) => new TextEncoder().encode(value);
const ramp = (length: number) => Uint8Array.from({ length }, (_, i) => (i * i) >> 3);
const tensors = new Map<string, NamedTensor>([
  ["a", { dtype: "F32", shape: [2, 3], data: ramp(24) }],
  ["b", { dtype: "I64", shape: [], data: ramp(8) }],
]);
const variables: MatVariable[] = [
  { name: "X", shape: [4, 5, 2], class: 9, type: 2, data: [...ramp(40)] },
  { name: "y", shape: [3, 1], class: 6, type: 9, data: [10, 1, 2] },
];
const arrays = new Map([["x", { shape: [3, 2], data: Float32Array.from(ramp(6)) }]]);
const rgb = { width: 9, height: 7, channels: 3 as const, data: ramp(189) };
const jpegs = ["4:2:0", "progressive", "restarts", "CMYK", "orientation 6"].map((name) =>
  jpegSamples.get(name)!.file
);
const pyTorchContents: PyTorchContents = new Map<string, NamedTensor | typeof tensors>([
  ["model_state_dict", tensors],
  ["replay_buffer", tensors.get("a")!],
]);
const pyTorch = serializePyTorch(pyTorchContents);
/** What protocols 0, 4 and 5 write and the writer here does not: lines, objects, sets, lists, long numbers. */
const otherPickles = [
  "(dp0\nS'a'\np1\n(lp2\nI1\naL18446744073709551615L\naF2.5\naVb\\u00e9\nasI00\nccollections\nOrderedDict\n((lp3\ntRs.",
  "\x80\x04\x95\x20\0\0\0\0\0\0\0}\x94(\x8c\x01a\x94\x8f\x94(K\x01K\x02\x90K\x03(K\x04\x91\x8c\x01b\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7fu.",
  "\x80\x05\x8c\x08argparse\x8c\tNamespace\x93)\x81}\x8c\x01x\x96\x02\0\0\0\0\0\0\0absb.",
  "\x80\x02(cm\nC\n}X\x01\0\0\0aK\x01so0(im\nC\n2].",
].map((letters) => Uint8Array.from(letters, (letter) => letter.charCodeAt(0)));
const pickles = [await new ZipArchive(pyTorch).read("archive/data.pkl", 2 ** 20)];
/** The same tensors in the old format: magic number, version, system, contents, keys, storages. */
const legacy = concatenate([
  Uint8Array.of(0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e),
  Uint8Array.of(0x80, 2, 0x4d, 0xe9, 0x03, 0x2e),
  Uint8Array.of(0x80, 2, 0x7d, 0x58, 13, 0, 0, 0, ...text("little_endian"), 0x88, 0x73, 0x2e),
  ...pickles,
  Uint8Array.of(
    0x80,
    2,
    0x5d,
    0x28,
    ...["0", "1", "2"].flatMap((key) => [0x58, 1, 0, 0, 0, ...text(key)]),
    0x65,
    0x2e,
  ),
  ...[[6, 24], [1, 8], [6, 24]].flatMap((
    [length, bytes],
  ) => [Uint8Array.of(length!, 0, 0, 0, 0, 0, 0, 0), ramp(bytes!)]),
]);

/** Headers and rows of 4×3 pixels: colour with each filter, a 4-bit palette, 16-bit grey, interlaced colour. */
const rawPngs = [
  [8, 2, 0, ...[0, 1, 4].flatMap((filter) => [filter, ...ramp(12)])],
  [4, 3, 0, 0, 0x12, 0x34, 2, 0x56, 0x78, 3, 0x9a, 0xbc],
  [16, 0, 0, ...[2, 3, 4].flatMap((filter) => [filter, ...ramp(8)])],
  [8, 2, 1, ...ramp(60)],
].map(([depth, colour, interlaced, ...rows]) =>
  Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 3, depth!, colour!, 0, 0, interlaced!, ...rows)
);

const adapter = {
  adapterName: "an adapter",
  adapterFamily: "gpu",
  device: { limits: { maxStorageBufferBindingSize: 2 ** 27 } },
} as const;
const layer = { batch: 64, height: 8, width: 8, kernel: 3, stride: 1, padding: 1 };
const kernelChoices = [
  { direction: "forward", ...layer, inChannels: 16, outChannels: 32, algorithm: "staged-64x64" },
  { direction: "gradientWeight", ...layer, inChannels: 4, outChannels: 16, algorithm: "compact" },
] as const;

/** A reader, the files to damage, and a function that makes a damaged file credible again. */
export interface Case {
  readonly files: readonly Uint8Array[];
  readonly read: (bytes: Uint8Array<ArrayBuffer>) => unknown;
  readonly repair?: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>;
  /** Whether the files are JSON, which is damaged word by word. */
  readonly json?: true;
}

/** The readers, by the kind of file. */
export const cases: Readonly<Record<string, Case>> = {
  safetensors: {
    files: [serializeSafetensors(tensors, { format: "x" })],
    read: parseSafetensors,
  },
  "safetensors headers": {
    files: [text(JSON.stringify({ a: { dtype: "F32", shape: [2, 3], data_offsets: [0, 24] } }))],
    read: (header) => parseSafetensors(withHeader(header, 24)),
    json: true,
  },
  pickle: {
    files: [...pickles, ...otherPickles],
    read: (bytes) => parsePickle(bytes, { call: () => undefined, persistent: (id) => [id] }, 2 ** 20),
  },
  "PyTorch archives": { files: [pyTorch], read: parsePyTorch },
  "PyTorch pickles": {
    files: pickles,
    read: (pickle) =>
      parsePyTorch(
        zip(
          new Map([["a/data.pkl", pickle], ["a/data/0", ramp(24)], ["a/data/1", ramp(8)], [
            "a/data/2",
            ramp(24),
          ]]),
        ),
      ),
  },
  "old PyTorch files": { files: [legacy], read: parsePyTorch },
  "model files": { files: [pyTorch, serializeSafetensors(tensors)], read: (bytes) => readModelFile(bytes) },
  "model files by ranges": {
    files: [pyTorch, legacy, serializeSafetensors(tensors)],
    read: byRanges((file) => readModelFile(file)),
  },
  "PyTorch files by ranges": { files: [pyTorch, legacy], read: byRanges(parsePyTorch) },
  "safetensors by ranges": {
    files: [serializeSafetensors(tensors, { format: "x" })],
    read: byRanges(async (file) => {
      const opened = openSafetensors(file);
      await opened.read(opened.tensors.keys());
    }),
  },
  "npz by ranges": { files: [serializeNpz(arrays)], read: byRanges((file) => parseNpz(file)) },
  zip: {
    files: [
      zip(new Map([["a", ramp(100)], ["b/c", ramp(50)]])),
      zip(new Map([["a", ramp(900)]]), { compress: true }),
    ],
    read: async (bytes) => {
      const archive = new ZipArchive(bytes);
      for (const name of archive.names) await archive.read(name, expectedBytes);
    },
  },
  tar: {
    files: [tar({ "x/a.bin": ramp(700), "x/b.bin": ramp(10) })],
    read: (bytes) => readTar(pieces(bytes), () => true, expectedBytes),
    repair: withTarChecksums,
  },
  gzip: { files: [gzip(ramp(3000))], read: (bytes) => decompress(bytes, "gzip", expectedBytes) },
  "gzip of several members": {
    files: [concatenate([gzip(ramp(3000)), gzip(ramp(100)), new Uint8Array(64)])],
    read: (bytes) => gunzip(bytes, expectedBytes),
  },
  "gzipped digits": { files: [gzip(text("0,1,2\n3,4,5\n"))], read: loadDigits },
  MAT: {
    files: [mat(variables), mat(variables, false)],
    read: (bytes) => parseMat(bytes, expectedBytes),
  },
  "compressed MAT": {
    files: [mat(variables.map((variable) => ({ ...variable, compressed: true })))],
    read: (bytes) => parseMat(bytes, expectedBytes),
  },
  IDX: { files: [idx([2, 3, 4], ramp(24)), idx([5], ramp(5))], read: parseIdx },
  PNG: { files: [encodePng(rgb)], read: decodePicture },
  "PNG with right checksums": { files: [encodePng(rgb)], read: decodePicture, repair: withPngChecksums },
  "PNG headers and rows": { files: rawPngs, read: (raw) => decodePicture(pngOf(raw)) },
  JPEG: { files: jpegs, read: decodePicture },
  npy: { files: [serializeNpy(arrays.get("x")!)], read: parseNpy },
  npz: { files: [serializeNpz(arrays)], read: parseNpz },
  "JSON configuration": {
    files: [text(JSON.stringify(preset("digits"))), text(JSON.stringify(preset("svhn-jempp")))],
    read: (bytes) => parseConfiguration(jsonOrNothing(bytes)),
    json: true,
  },
  "tables of kernels": {
    files: [text(JSON.stringify(conv2dTable(adapter, kernelChoices)))],
    read: (bytes) => parseConv2dTable(new TextDecoder().decode(bytes), adapter),
    json: true,
  },
};

const asItIs = (bytes: Uint8Array<ArrayBuffer>) => bytes;

/**
 * Damages files and reads each. A reader must return something or throw the project's own error. It must never allocate
 * more than the file could justify.
 * @throws {Error} naming the file that it failed on
 */
export async function readDamaged(
  { files, read, json, repair = asItIs }: Case,
  { runs, seed }: { readonly runs: number; readonly seed: number },
): Promise<void> {
  const inputs = json ? damagedJson(files.map((file) => new TextDecoder().decode(file))) : damaged(files);
  await fc.assert(
    fc.asyncProperty(inputs, async (bytes) => {
      const file = repair(bytes);
      try {
        await allocatingAtMost(justified(file.length), () => read(file));
      } catch (error) {
        assert.ok(error instanceof SadaJemError, error instanceof Error ? error.stack : String(error));
        assert.doesNotMatch(error.message, /\n/);
      }
    }),
    { numRuns: runs, seed },
  );
}

function withHeader(header: Uint8Array, bodyLength: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8 + header.length + bodyLength);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, 8);
  return bytes;
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += 100) {
    yield await Promise.resolve(bytes.subarray(start, start + 100));
  }
}

/** Gives every block that may be a header a correct checksum. */
function withTarChecksums(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  for (let start = 0; start + 512 <= bytes.length; start += 512) {
    const header = bytes.subarray(start, start + 512);
    if (!header.some((byte) => byte !== 0) || header[257] !== 0x75) continue;
    header.fill(0x20, 148, 156);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.set(text(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
  }
  return bytes;
}

/** A PNG file from the 13 bytes of a header and from rows that each begin with their filter. */
function pngOf(raw: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const chunks: [string, Uint8Array][] = [
    ["IHDR", raw.slice(0, 13)],
    ["PLTE", ramp(48)],
    ["IDAT", zlibSync(raw.slice(13))],
    ["IEND", new Uint8Array()],
  ];
  const parts = chunks.map(([type, data]) => {
    const chunk = new Uint8Array(12 + data.length);
    new DataView(chunk.buffer).setUint32(0, data.length);
    chunk.set(text(type), 4);
    chunk.set(data, 8);
    return chunk;
  });
  return withPngChecksums(concatenate([Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10), ...parts]));
}

/** Gives every chunk a correct checksum. */
function withPngChecksums(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const view = new DataView(bytes.buffer);
  for (let start = 8; start + 12 <= bytes.length;) {
    const end = start + 8 + view.getUint32(start);
    if (end + 4 > bytes.length) break;
    view.setUint32(end, crc32(bytes.subarray(start + 4, end)));
    start = end + 4;
  }
  return bytes;
}

function jsonOrNothing(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
