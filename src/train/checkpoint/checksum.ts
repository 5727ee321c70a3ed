/**
 * The checksum of a checkpoint file, in its metadata under `checksum`: SHA-256 over the SHA-256 of each 16 MiB of the
 * file, where the checksum's own 64 digits count as zeros. It covers every byte: length, header, padding and tensors.
 * `checksum` sorts before the other keys, so the digits have the same position in every file.
 */

import { CheckpointError } from "../../errors.ts";
import { beginningOf, type ByteSource, sourceOf } from "../../formats/byte_source.ts";
import { concatenate } from "../../formats/bytes.ts";

/** Key of the metadata. */
export const checksumKey = "checksum";
/** Placeholder for the checksum until {@link writeChecksum}. */
export const noChecksum = "0".repeat(64);

const encoder = new TextEncoder();
/** How a file with a checksum begins, after the eight bytes of the header's length. */
const opening = encoder.encode(`{"__metadata__":{"${checksumKey}":"`);
const begin = 8 + opening.length;
const end = begin + noChecksum.length;
/** Web Crypto copies its input, and cannot hash in pieces. */
const pieceBytes = 2 ** 24;

/** Writes the checksum into a file that was made with {@link noChecksum}. */
export async function writeChecksum(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  if (!hasPlace(bytes)) throw new Error("the checksum must be the first of the metadata");
  bytes.set(encoder.encode(await checksumOf(sourceOf(bytes))), begin);
}

/**
 * Checks that a file is as it was written.
 * @throws {CheckpointError} if it is not.
 */
export async function requireChecksum(source: ByteSource): Promise<void> {
  const first = beginningOf(source, end);
  const found = hasPlace(first) ? new TextDecoder().decode(first.subarray(begin)) : undefined;
  if (found !== undefined && found === await checksumOf(source)) return;
  throw new CheckpointError(
    "damaged checkpoint: its contents do not match its checksum, so they are not those that were written",
  );
}

function hasPlace(bytes: Uint8Array): boolean {
  return bytes.length >= end && opening.every((byte, i) => bytes[8 + i] === byte);
}

async function checksumOf(source: ByteSource): Promise<string> {
  const digests: Uint8Array[] = [];
  for (let offset = 0; offset < source.size; offset += pieceBytes) {
    const piece = source.read(offset, Math.min(offset + pieceBytes, source.size));
    digests.push(await sha256(offset === 0 ? withoutChecksum(piece) : piece));
  }
  return (await sha256(concatenate(digests))).toHex();
}

function withoutChecksum(piece: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(piece);
  copy.set(encoder.encode(noChecksum), begin);
  return copy;
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}
