/** Small files that unpack to much, made without ever holding the unpacked data. */

import { constants, deflateRawSync } from "node:zlib";
import { concatenate } from "../../src/formats/bytes.ts";
import { crc32 } from "../../src/formats/archives/crc32.ts";

/** The pattern repeated to about a megabyte, so that the repetition packs well. */
function unitOf(pattern: Uint8Array): Uint8Array {
  return repeated(pattern, Math.max(1, Math.floor(2 ** 20 / pattern.length)));
}

export function repeated(pattern: Uint8Array, times: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(pattern.length * times);
  bytes.set(pattern.subarray(0, bytes.length));
  for (let filled = pattern.length; filled < bytes.length; filled *= 2) bytes.copyWithin(filled, 0, filled);
  return bytes;
}

/** Raw deflate data of a start and a pattern that repeats to about `bytes` bytes. */
export function deflateBomb(start: Uint8Array, pattern: Uint8Array, bytes: number): Uint8Array<ArrayBuffer> {
  const finishFlush = constants.Z_FULL_FLUSH;
  const unit = unitOf(pattern);
  const packed = deflateRawSync(unit, { level: 9, finishFlush });
  const parts = Array.from({ length: Math.ceil(bytes / unit.length) }, () => packed);
  // Ends with an empty last block.
  return concatenate([deflateRawSync(start, { finishFlush }), ...parts, Uint8Array.of(3, 0)]);
}

/** The same in a gzip file. Its checksum is wrong, because no reader may get that far. */
export function gzipBomb(start: Uint8Array, pattern: Uint8Array, bytes: number): Uint8Array<ArrayBuffer> {
  const header = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3);
  return concatenate([header, deflateBomb(start, pattern, bytes), new Uint8Array(8)]);
}

/** The same as zlib data. */
export function zlibBomb(start: Uint8Array, pattern: Uint8Array, bytes: number): Uint8Array<ArrayBuffer> {
  return concatenate([Uint8Array.of(0x78, 0xda), deflateBomb(start, pattern, bytes), new Uint8Array(4)]);
}

/** A file in a zip archive, valid or not. */
export interface ZipPart {
  readonly name: string;
  readonly data: Uint8Array;
  /** What it unpacks to, if it is deflated. */
  readonly unpacked?: Uint8Array;
  /** The size and checksum that the archive claims for the unpacked data. */
  readonly claim?: { readonly size: number; readonly crc: number };
}

/** A zip archive of files that are stored, or already deflated. */
export function zipOf(files: readonly ZipPart[]): Uint8Array<ArrayBuffer> {
  const [parts, directory]: [Uint8Array[], Uint8Array[]] = [[], []];
  let offset = 0;
  for (const { name, data, unpacked, claim } of files) {
    const bytes = new TextEncoder().encode(name);
    const method = unpacked || claim ? 8 : 0;
    const size = claim?.size ?? (unpacked ?? data).length;
    const common = new Uint8Array(26);
    const view = new DataView(common.buffer);
    view.setUint16(0, 20, true);
    view.setUint16(4, method, true);
    view.setUint32(10, claim?.crc ?? crc32(unpacked ?? data), true);
    view.setUint32(14, data.length, true);
    view.setUint32(18, size, true);
    view.setUint16(22, bytes.length, true);
    const place = new Uint8Array(14);
    new DataView(place.buffer).setUint32(10, offset, true);
    directory.push(Uint8Array.of(0x50, 0x4b, 1, 2, 20, 0), common, place, bytes);
    const local = [Uint8Array.of(0x50, 0x4b, 3, 4), common, bytes, data];
    parts.push(...local);
    offset += local.reduce((sum, part) => sum + part.length, 0);
  }
  const length = directory.reduce((sum, part) => sum + part.length, 0);
  const end = new Uint8Array(22);
  const view = new DataView(end.buffer);
  view.setUint32(0, 0x06054b50, true);
  for (const at of [8, 10]) view.setUint16(at, Math.min(files.length, 0xffff), true);
  view.setUint32(12, length, true);
  view.setUint32(16, offset, true);
  return concatenate([...parts, ...directory, end]);
}
