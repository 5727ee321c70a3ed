import assert from "node:assert/strict";
import { CheckpointError, FormatError } from "../../src/errors.ts";
import type { ByteSource } from "../../src/formats/byte_source.ts";

/**
 * Bytes as a file that is read in ranges. Only ranges within its size may be requested.
 * @param left the bytes that are left of it when it is read, by default all
 */
export function fileOf(bytes: Uint8Array, left = bytes.length): ByteSource {
  return {
    size: bytes.length,
    read(begin, end) {
      const isRange = Number.isSafeInteger(begin) && Number.isSafeInteger(end) && begin >= 0 && begin <= end;
      assert(isRange && end <= bytes.length, `${begin} to ${end} of ${bytes.length} bytes`);
      if (end > left) throw new FormatError("the file has become shorter while it was read");
      return Uint8Array.from(bytes.subarray(begin, end));
    },
  };
}

/** Reads bytes as a file, and as a file that has become shorter since its size was reported. */
export function byRanges(
  read: (file: ByteSource) => unknown,
): (bytes: Uint8Array<ArrayBuffer>) => Promise<unknown> {
  return async (bytes) => {
    for (const left of [bytes.length >> 1, bytes.length - 1]) {
      try {
        // A shortened file is fine if everything needed comes before its end.
        await read(fileOf(bytes, left));
      } catch (error) {
        if (!(error instanceof FormatError || error instanceof CheckpointError)) throw error;
      }
    }
    return await read(fileOf(bytes));
  };
}
