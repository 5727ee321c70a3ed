/** Pickles that need far more memory or time than their size suggests. */

import { concatenate } from "../../src/formats/bytes.ts";
import { deflateBomb, repeated, zipOf, type ZipPart } from "./bombs.ts";

/** Bytes of a string whose characters are at most U+00FF. */
export function bytesOf(letters: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
}

/** The start of a pickle, and what is repeated in it until it is full. */
const endless: Readonly<Record<string, readonly [start: string, repeated: string]>> = {
  dictionaries: ["", "}"],
  lists: ["", "]"],
  tuples: ["", ")"],
  sets: ["", "\x8f"],
  nothings: ["", "N"],
  marks: ["", "("],
  "marks and their tuples": ["", "(t"],
  numbers: ["", "K\x07"],
  floats: ["", "G\0\0\0\0\0\0\0\x01"],
  "long numbers": ["", "\x8a\x08\x01\x02\x03\x04\x05\x06\x07\x08"],
  texts: ["", "X\0\0\0\0"],
  "longer texts": ["", "\x8c\x08abcdefgh"],
  "empty bytes": ["", "C\0"],
  "remembered dictionaries": ["", "}\x94"],
  "remembered numbers": ["", "K\x01\x940"],
  "memo entries far off": ["N", "r\xff\xff\xff\x7f"],
  "tuples in tuples": ["N", "\x85"],
  "a list's items": ["]", "Na"],
  "a list of dictionaries": ["]", "}a"],
  "items at once": ["](", "K\x01"],
  "pushed and popped": ["", "N0"],
  duplicates: ["N", "2"],
  globals: ["", "cm\nC\n"],
  objects: ["cm\nC\n\x94", "h\0)\x81"],
  "objects with dictionaries": ["cm\nC\n\x94", "h\0)\x81}b"],
  "dictionaries of a call": ["ccollections\nOrderedDict\n\x94", "h\0)R"],
  "persistent identifiers": ["", "NQ"],
  storages: [
    "ctorch\nFloatStorage\n\x940",
    "(X\x07\0\0\0storageh\0X\x01\0\0\x000X\x03\0\0\0cpuK\x01tQ",
  ],
  "lines of digits": ["", "I1234567\n"],
  "keys that collide": ["}", "\x8a\x10\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0Ns"],
};

/** Opcodes that store to and read from a place in the memo. */
const put = (place: number) => `r${letters(place)}`;
const get = (place: number) => `j${letters(place)}`;
const letters = (value: number) =>
  String.fromCharCode(...[0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff));

/** A list that contains a list twice, which contains another list twice, and so on. */
const doubled = `N\x94${Array.from({ length: 60 }, (_, i) => `0(${get(i)}${get(i)}l${put(i + 1)}`).join("")}`;

/** A large value that is used again and again. A careless reader would look through it at each use. */
function named(start: string, use: string, times: number): Uint8Array<ArrayBuffer> {
  return concatenate([bytesOf(start), repeated(bytesOf(use), times)]);
}

const longShape = () => {
  const numbers = `(${"K\x01".repeat(200_000)}t`;
  const storage = "(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x01tQ";
  const args = `(${storage}K\0${numbers}\x942\x89Nt`;
  return named(`ctorch._utils\n_rebuild_tensor_v2\n\x94${args}\x94`, "h\0h\x02R0", 200_000);
};
const longNames = () => named(`X\x80\x84\x1e\0${"a.".repeat(1_000_000)}\x94`, "h\0h\0\x930", 100_000);

const filling = 8 * 2 ** 20;
const large = 20 * 2 ** 20;

/** Names of PyTorch files with such pickles, and functions that make them. */
export function hostilePickles(): [string, () => Uint8Array][] {
  const files: [string, () => Uint8Array][] = [];
  for (const [name, [start, pattern]] of Object.entries(endless)) {
    const pickle = (bytes: number) =>
      concatenate([
        bytesOf(`\x80\x02${start}`),
        repeated(bytesOf(pattern), Math.floor(bytes / pattern.length)),
      ]);
    files.push([`${name}, deflated`, () => deflated(bytesOf(`\x80\x02${start}`), bytesOf(pattern), filling)]);
    if (name === "remembered dictionaries") {
      files.push([`${name}, stored`, () => zipOf([{ name: "a/data.pkl", data: pickle(large) }])]);
      files.push([`${name}, in an old file`, () => legacy(pickle(large))]);
    }
  }
  files.push(
    [
      "dictionaries, deflated a hundred times",
      () => deflated(bytesOf("\x80\x02"), bytesOf("}"), 100 * 2 ** 20),
    ],
    ["a long shape for many tensors", () => zipOf([{ name: "a/data.pkl", data: longShape() }])],
    ["a long name for many classes", () => zipOf([{ name: "a/data.pkl", data: longNames() }])],
    ["lists of lists, doubled", () => zipOf([{ name: "a/data.pkl", data: bytesOf(`\x80\x02${doubled}.`) }])],
    ["keys that are lists of lists, doubled", () => legacy(bytesOf(`}.\x80\x02(${doubled}l.`))],
  );
  return files;
}

function deflated(start: Uint8Array, pattern: Uint8Array, bytes: number): Uint8Array {
  const unit = Math.floor(2 ** 20 / pattern.length);
  const times = Math.ceil(bytes / (unit * pattern.length));
  const unpacked = concatenate([start, repeated(pattern, unit * times)]);
  const part: ZipPart = { name: "a/data.pkl", data: deflateBomb(start, pattern, bytes), unpacked };
  return zipOf([part]);
}

/** A file of the format before 1.6 whose contents are a pickle. */
function legacy(pickle: Uint8Array): Uint8Array {
  return concatenate([
    Uint8Array.of(0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e),
    Uint8Array.of(0x80, 2, 0x4d, 0xe9, 0x03, 0x2e),
    bytesOf("\x80\x02}X\x0d\0\0\0little_endian\x88s."),
    pickle,
  ]);
}
