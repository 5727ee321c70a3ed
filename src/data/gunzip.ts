/**
 * Gzip with Node's zlib. The `DecompressionStream` of browsers refuses two things that gzip files may contain (RFC
 * 1952): several members, and zeros after them.
 */

import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { FormatError } from "../errors.ts";
import { packedPieces, unpackedBytes } from "../formats/archives/decompress.ts";

/** Bytes that are returned at once. */
const chunkSize = 2 ** 16;

/** Whether bytes begin like a gzip file. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * Unpacks a gzip file, taking at most `maximumBytes` of memory whatever the file claims. Checksums are verified.
 * @throws {FormatError} if it is damaged or truncated, or holds more.
 */
export async function gunzip(
  bytes: Uint8Array<ArrayBuffer>,
  maximumBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  return await unpackedBytes(gunzipped([bytes]), maximumBytes, bytes.length);
}

/**
 * The pieces of a gzip file as they arrive; none is kept.
 * @throws {FormatError} if it is damaged or truncated.
 */
export async function* gunzipped(
  pieces: Iterable<Uint8Array<ArrayBuffer>> | AsyncIterable<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<Uint8Array> {
  const unpacker = createGunzip({ chunkSize });
  const source = Readable.from(inPackedPieces(pieces), { objectMode: false });
  source.on("error", (error) => unpacker.destroy(error));
  try {
    for await (const piece of source.pipe(unpacker)) yield piece as Uint8Array;
  } catch (error) {
    if (isZlibError(error)) throw new FormatError("compressed data are damaged or truncated");
    throw error;
  } finally {
    source.destroy();
  }
}

async function* inPackedPieces(
  pieces: Iterable<Uint8Array<ArrayBuffer>> | AsyncIterable<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for await (const piece of pieces) yield* packedPieces(piece);
}

function isZlibError(error: unknown): boolean {
  return error instanceof Error && "code" in error && String(error.code).startsWith("Z_");
}
