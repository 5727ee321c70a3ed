import { FormatError } from "../errors.ts";
import { concatenate } from "./bytes.ts";

/**
 * Decompresses bytes piece by piece, so that no more memory is taken than `maximumBytes`, whatever the data claim.
 * @param format `gzip` (RFC 1952), `deflate` (zlib, RFC 1950) or `deflate-raw` (RFC 1951); checksums are verified
 * @throws {FormatError} if the data are damaged or truncated, or hold more than `maximumBytes`.
 */
export async function decompress(
  bytes: Uint8Array<ArrayBuffer>,
  format: CompressionFormat,
  maximumBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  return await unpackedBytes(decompressed(new Blob([bytes]).stream(), format), maximumBytes);
}

/**
 * What compressed data unpack to, as one.
 * @param pieces the unpacked bytes as they come
 * @throws {FormatError} if they are more than `maximumBytes`; no more pieces are taken then.
 */
export async function unpackedBytes(
  pieces: AsyncIterable<Uint8Array>,
  maximumBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const kept: Uint8Array[] = [];
  let length = 0;
  for await (const piece of pieces) {
    length += piece.length;
    if (length > maximumBytes) {
      throw new FormatError(
        `compressed data unpack to more than the ${maximumBytes} bytes that are expected`,
      );
    }
    kept.push(piece);
  }
  return concatenate(kept);
}

/**
 * The pieces of a compressed stream as they come, none kept.
 * @throws {FormatError} if the data are damaged or truncated.
 */
export async function* decompressed(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  format: CompressionFormat,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  try {
    yield* stream.pipeThrough(new DecompressionStream(format)).values();
  } catch (error) {
    if (error instanceof TypeError) throw new FormatError("compressed data are damaged or truncated");
    throw error;
  }
}
