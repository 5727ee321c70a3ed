import { FormatError } from "../../errors.ts";
import { deflateGain, unpackedAtOnce } from "../budget.ts";

/**
 * Decompresses bytes piece by piece, so that at most `maximumBytes` of memory are taken, whatever the data claim.
 * @param format `gzip` (RFC 1952), `deflate` (zlib, RFC 1950) or `deflate-raw` (RFC 1951); checksums are verified
 * @throws {FormatError} if the data are damaged or truncated, or hold more than `maximumBytes`.
 */
export async function decompress(
  bytes: Uint8Array<ArrayBuffer>,
  format: CompressionFormat,
  maximumBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  return await unpackedBytes(decompressed(bytes, format), maximumBytes, bytes.length);
}

/**
 * Joins the unpacked pieces of compressed data.
 * @param pieces the unpacked bytes as they arrive
 * @param packedBytes the number of bytes they are unpacked from
 * @throws {FormatError} if there are more than `maximumBytes`; no more pieces are taken then.
 */
export async function unpackedBytes(
  pieces: AsyncIterable<Uint8Array>,
  maximumBytes: number,
  packedBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  // Memory that is never written to is not taken, so this costs no more than the unpacked data.
  const whole = new Uint8Array(Math.min(maximumBytes, deflateGain * packedBytes));
  let length = 0;
  for await (const piece of pieces) {
    if (length + piece.length > whole.length) {
      throw new FormatError(
        `compressed data unpack to more than the ${maximumBytes} bytes that are expected`,
      );
    }
    whole.set(piece, length);
    length += piece.length;
  }
  return length < whole.length / 2 ? whole.slice(0, length) : whole.subarray(0, length);
}

/** Bytes in pieces that are unpacked at once. */
export function* packedPieces(bytes: Uint8Array<ArrayBuffer>): Generator<Uint8Array<ArrayBuffer>> {
  for (let start = 0; start < bytes.length; start += unpackedAtOnce) {
    yield bytes.subarray(start, start + unpackedAtOnce);
  }
}

/** The pieces of compressed data as they arrive. They are made on demand, and none is kept. */
async function* decompressed(
  bytes: Uint8Array<ArrayBuffer>,
  format: CompressionFormat,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const pieces = packedPieces(bytes);
  const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      const { done, value } = pieces.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  }, { highWaterMark: 0 });
  try {
    yield* source.pipeThrough(new DecompressionStream(format)).values();
  } catch (error) {
    if (error instanceof TypeError) throw new FormatError("compressed data are damaged or truncated");
    throw error;
  }
}
