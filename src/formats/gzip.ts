import { gunzipSync } from "fflate";
import { FormatError } from "../errors.ts";
import { crc32 } from "./crc32.ts";

/**
 * Decompresses a gzip file of one member and verifies its length and checksum.
 * @param maximumBytes More than this is refused before any of it is decompressed.
 * @throws {FormatError}
 */
export function gunzip(bytes: Uint8Array, maximumBytes: number): Uint8Array {
  if (bytes.length < 18 || bytes[0] !== 0x1f || bytes[1] !== 0x8b) {
    throw new FormatError("not a gzip file");
  }
  const trailer = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 8, 8);
  const length = trailer.getUint32(4, true);
  if (length > maximumBytes) {
    throw new FormatError(
      `gzip file that unpacks to ${length} bytes, where at most ${maximumBytes} are expected; ` +
        "it is damaged or truncated",
    );
  }
  let contents: Uint8Array;
  try {
    contents = gunzipSync(bytes);
  } catch {
    throw new FormatError("damaged or truncated gzip file");
  }
  if (contents.length !== length || crc32(contents) !== trailer.getUint32(0, true)) {
    throw new FormatError("damaged or truncated gzip file: its checksum does not match");
  }
  return contents;
}
