/** Files of gigabytes that are mostly holes, of every kind that is read. */

import { serializeNpy } from "../../src/formats/npz.ts";
import { parseSafetensors } from "../../src/formats/safetensors.ts";
import { readModelFile, serializeOfficial } from "../../src/train/checkpoint/import.ts";
import { idx } from "../formats/samples.ts";
import { bytesOf } from "./hostile_pickles.ts";
import type { HostileKind } from "./hostile_reader.ts";

/** A file to be made in its own folder. */
export interface LargeFile {
  readonly kind: HostileKind;
  /** Its path in the folder. */
  readonly path: string;
  /** What is there instead of a regular file. */
  readonly special?: "pipe" | "device" | "folder";
  readonly begin?: Uint8Array;
  /** The bytes after the hole. */
  readonly end?: Uint8Array;
  readonly size?: number;
  /** The expected error line. Undefined if the file is readable anyway. */
  readonly refusal: RegExp | undefined;
}

const gigabyte = 2 ** 30;
/** Less than 4 GiB, so that it fits the short fields of a zip archive. */
const zipHole = 3.9 * gigabyte;
const text = (value: string) => new TextEncoder().encode(value);
const shipped = await Deno.readFile(new URL("../../data/models/digits.safetensors", import.meta.url));
const shippedTensors = parseSafetensors(shipped);
const official = serializeOfficial(await readModelFile(shipped));

export function largeFiles(): LargeFile[] {
  return [...models(), ...zips(), ...dataSets(), ...runFiles(), ...specials()];
}

/** A safetensors file with the shipped model's tensors and a last tensor that is a hole. */
function withHole(name: string, hole: number, metadata: Readonly<Record<string, string>>): Uint8Array {
  const bytes: Uint8Array[] = [];
  const header: Record<string, unknown> = {
    ...(Object.keys(metadata).length > 0 && { __metadata__: metadata }),
  };
  let at = 0;
  for (const [tensor, { dtype, shape, data }] of shippedTensors.tensors) {
    if (tensor === name) continue;
    header[tensor] = { dtype, shape, data_offsets: [at, at + data.length] };
    bytes.push(data);
    at += data.length;
  }
  header[name] = { dtype: "U8", shape: [hole], data_offsets: [at, at + hole] };
  const json = text(JSON.stringify(header));
  const length = new Uint8Array(new BigUint64Array([BigInt(json.length)]).buffer);
  return Uint8Array.from([length, json, ...bytes].flatMap((part) => [...part]));
}

function models(): LargeFile[] {
  const model = (
    path: string,
    begin: Uint8Array,
    refusal: RegExp | undefined,
    size = 20 * gigabyte,
  ): LargeFile => ({
    kind: "model",
    path,
    begin,
    size,
    refusal,
  });
  const none = new Uint8Array();
  const [own, foreign] = [shippedTensors.metadata, {}].map((metadata) =>
    withHole("x", 20 * gigabyte, metadata)
  );
  const magic = Uint8Array.of(
    ...[0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e],
  );
  const version = Uint8Array.of(0x80, 2, 0x4d, 0xe9, 0x03, 0x2e);
  return [
    model("x.safetensors", none, /the header is not valid JSON|not a JSON object/),
    model("x.pt", none, /the header is not valid JSON|not a JSON object/),
    model("longer.safetensors", shipped, /bytes of tensors, but the header describes/),
    model(
      "own.safetensors",
      own!,
      /it has \d+ bytes, where one of its model has at most/,
      own!.length + 20 * gigabyte,
    ),
    model("foreign.safetensors", foreign!, undefined, foreign!.length + 20 * gigabyte),
    model("header.safetensors", Uint8Array.of(0, 0, 0, 6, 0, 0, 0, 0, 0x7b), /at most 16777216 are allowed/),
    model("start.pt", official.subarray(0, 5000), /directory is missing/),
    model("old.pt", Uint8Array.of(...magic, ...version), /pickle: /),
    model("text.pt", Uint8Array.of(...magic, ...bytesOf("\x80\x02X\xff\xff\xff\x7f")), /pickle: /),
  ];
}

interface Part {
  readonly name: string;
  readonly data: Uint8Array;
  /** Number of zeros after the data. */
  readonly hole?: number;
}

/** A zip archive of stored files. The last one ends in a hole, and its checksum is wrong. */
function zipAround(parts: readonly Part[]): Pick<LargeFile, "begin" | "end" | "size"> {
  const [begin, directory]: [number[], number[]] = [[], []];
  const words = (...values: number[]) => [...new Uint8Array(Uint32Array.from(values).buffer)];
  let hole = 0;
  for (const { name, data, hole: own = 0 } of parts) {
    const size = data.length + own;
    const common = [20, 0, 0, 0, 0, 0, ...words(0, 0, size, size), name.length, 0, 0, 0];
    directory.push(
      ...words(0x02014b50),
      20,
      0,
      ...common,
      ...new Uint8Array(10),
      ...words(begin.length),
      ...text(name),
    );
    begin.push(...words(0x04034b50), ...common, ...text(name), ...data);
    hole += own;
  }
  const count = [parts.length, 0];
  const end = [
    ...directory,
    ...[...words(0x06054b50, 0), ...count, ...count, ...words(directory.length, begin.length + hole), 0, 0],
  ];
  return {
    begin: Uint8Array.from(begin),
    end: Uint8Array.from(end),
    size: begin.length + hole + end.length,
  };
}

function zips(): LargeFile[] {
  const pickle = bytesOf("}.");
  const archive = (kind: HostileKind, path: string, refusal: RegExp, parts: readonly Part[]): LargeFile => ({
    kind,
    path,
    refusal,
    ...zipAround(parts),
  });
  const hole = { data: new Uint8Array(), hole: zipHole };
  const array = serializeNpy({ shape: [1], data: Float64Array.of(1) });
  return [
    archive("model", "unused.pt", /checksum does not match|no state dict/, [{
      name: "a/data.pkl",
      data: pickle,
    }, { name: "a/data/0", ...hole }]),
    archive("model", "pickle.pt", /where at most \d+ are expected/, [{
      name: "a/data.pkl",
      data: pickle,
      hole: zipHole,
    }]),
    archive("model", "order.pt", /where at most 64 are expected/, [
      { name: "a/data.pkl", data: pickle },
      { name: "a/byteorder", ...hole },
    ]),
    archive("npz", "mu.npz", /where at most \d+ are expected/, [{
      name: "mu.npy",
      data: array,
      hole: zipHole,
    }]),
    { kind: "npz", path: "zeros.npz", size: 30 * gigabyte, refusal: /directory is missing/ },
  ];
}

function dataSets(): LargeFile[] {
  const size = 30 * gigabyte;
  const large = /\d+ bytes, where at most \d+ are expected/;
  const png = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10);
  return [
    { kind: "cifar10", path: "test_batch.bin", size, refusal: large },
    { kind: "cifar10", path: "test_batch.bin.gz", size, refusal: large },
    { kind: "cifar10", path: "cifar-10-binary.tar.gz", size, refusal: /cifar10: no test_batch\.bin|tar: / },
    {
      kind: "cifar10",
      path: "cifar-10-binary.tar.gz",
      begin: Uint8Array.of(0x1f, 0x8b, 8, 0),
      size,
      refusal: /damaged/,
    },
    { kind: "mnist", path: "t10k-images-idx3-ubyte", begin: idx([10_000, 28, 28], []), size, refusal: large },
    { kind: "mnist", path: "t10k-images-idx3-ubyte.gz", size, refusal: large },
    { kind: "svhn", path: "test_32x32.mat", size, refusal: large },
    { kind: "digits", path: "digits.csv.gz", size, refusal: large },
    { kind: "images", path: "a.png", begin: png, size: 5 * gigabyte, refusal: large },
    {
      kind: "images",
      path: "a.jpg",
      begin: Uint8Array.of(0xff, 0xd8, 0xff),
      size: 5 * gigabyte,
      refusal: large,
    },
  ];
}

function runFiles(): LargeFile[] {
  const size = 30 * gigabyte;
  return [
    { kind: "run", path: "run/checkpoints/00000010.safetensors", size, refusal: /no usable checkpoint/ },
    { kind: "metrics", path: "metrics.jsonl", size, refusal: undefined },
    { kind: "JSON", path: "config.json", begin: text("{"), size, refusal: /config\.json: it has \d+ bytes/ },
    { kind: "history", path: "run/samples/00000010.png", size, refusal: /it has \d+ bytes/ },
  ];
}

/** Paths with something other than a file, where a file is expected. */
function specials(): LargeFile[] {
  const places: [HostileKind, string][] = [
    ["model", "x.safetensors"],
    ["run", "run/checkpoints/00000010.safetensors"],
    ["npz", "x.npz"],
    ["JSON", "config.json"],
    ["history", "run/samples/00000010.png"],
    ["digits", "digits.csv.gz"],
    ["cifar10", "test_batch.bin"],
    ["cifar10", "cifar-10-binary.tar.gz"],
    ["mnist", "t10k-images-idx3-ubyte.gz"],
    ["svhn", "test_32x32.mat"],
  ];
  const said = { pipe: "a named pipe", device: "a device", folder: "a folder" } as const;
  const none = /^(cifar10: no|mnist: no|svhn: no|digits: no file)/;
  const isData = (kind: HostileKind) => ["digits", "cifar10", "mnist", "svhn"].includes(kind);
  return (["pipe", "device", "folder"] as const).flatMap((special) => [
    ...places.map(([kind, path]): LargeFile => ({
      kind,
      path,
      special,
      refusal: kind === "run"
        ? /no usable checkpoint/
        : special === "folder" && isData(kind) && !path.endsWith(".tar.gz")
        ? none
        : new RegExp(`it is ${said[special]}, not a file`),
    })),
    { kind: "metrics", path: "metrics.jsonl", special, refusal: undefined },
  ]);
}
