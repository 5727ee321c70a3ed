import { DataError, FormatError } from "../errors.ts";
import { decompress } from "../formats/archives/decompress.ts";

/**
 * Decompresses a gzip file of one member, also in a browser. `what` names it in errors.
 * @throws {DataError} if it is damaged or holds more than `maximumBytes`.
 */
export async function unpack(
  what: string,
  bytes: Uint8Array<ArrayBuffer>,
  maximumBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  return await named(what, () => decompress(bytes, "gzip", maximumBytes));
}

/** Runs a reader of a format. What it refuses becomes an error about the data file `what`. */
export async function named<Result>(what: string, read: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof FormatError) throw new DataError(`${what}: ${error.message}`);
    throw error;
  }
}
