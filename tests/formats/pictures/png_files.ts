/** Writes PNG files of every kind from the specification, without the project's reader. */

import { zlibSync } from "fflate";
import { concatenate } from "../../../src/formats/bytes.ts";
import { crc32 } from "../../../src/formats/archives/crc32.ts";

/** A picture as samples, in the order `[height][width][channels]`. */
export interface PngPicture {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly colour: number;
  readonly interlaced: boolean;
  readonly samples: ArrayLike<number>;
}

export const pngChannels: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** A chunk with its length and checksum. */
export function pngChunk(type: string, data: Uint8Array | readonly number[]): Uint8Array {
  const checked = Uint8Array.from([...new TextEncoder().encode(type), ...data]);
  return concatenate([bigEndian(data.length), checked, bigEndian(crc32(checked))]);
}

export function pngFile(...chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return concatenate([Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10), ...chunks]);
}

export function pngHeader(
  { width, height, depth, colour, interlaced }: Omit<PngPicture, "samples">,
): Uint8Array {
  return pngChunk("IHDR", [
    ...bigEndian(width),
    ...bigEndian(height),
    depth,
    colour,
    0,
    0,
    Number(interlaced),
  ]);
}

/** The compressed data, without filters: the rows of the whole picture, or of Adam7's seven passes. */
export function pngData(picture: PngPicture): Uint8Array {
  const { width, height, interlaced } = picture;
  const rows: number[] = [];
  // The pass of each pixel in a block of eight by eight, as drawn in the specification.
  const pattern = [
    "16462646",
    "77777777",
    "56565656",
    "77777777",
    "36463646",
    "77777777",
    "56565656",
    "77777777",
  ];
  const passOf = (x: number, y: number) => interlaced ? Number(pattern[y % 8]![x % 8]) : 1;
  for (let pass = 1; pass <= 7; pass++) {
    for (let y = 0; y < height; y++) {
      const columns = [...Array(width).keys()].filter((x) => passOf(x, y) === pass);
      if (columns.length > 0) rows.push(0, ...packRow(picture, y, columns));
    }
  }
  return zlibSync(Uint8Array.from(rows));
}

function packRow(
  { width, depth, colour, samples }: PngPicture,
  y: number,
  columns: readonly number[],
): number[] {
  const channels = pngChannels[colour]!;
  const bits = columns.flatMap((x) =>
    Array.from({ length: channels }, (_, c) => samples[(y * width + x) * channels + c]!)
  ).map((sample) => sample.toString(2).padStart(depth, "0")).join("");
  return (bits.match(/.{1,8}/g) ?? []).map((byte) => parseInt(byte.padEnd(8, "0"), 2));
}

function bigEndian(value: number): Uint8Array {
  return Uint8Array.from([24, 16, 8, 0], (shift) => value >>> shift & 0xff);
}
