import { DataError, FormatError } from "../errors.ts";
import { gunzip } from "../formats/gzip.ts";

/**
 * A file's bytes, or nothing if there is no such file.
 * @throws {DataError} if it exists and cannot be read.
 */
export async function readIfPresent(path: string | URL): Promise<Uint8Array | undefined> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new DataError(`cannot read ${path}: ${error instanceof Error ? error.message : error}`);
  }
}

/**
 * Decompresses a data file; `what` names it in errors.
 * @throws {DataError} if it is damaged or holds more than `maximumBytes`.
 */
export function decompress(what: string, bytes: Uint8Array, maximumBytes: number): Uint8Array {
  try {
    return gunzip(bytes, maximumBytes);
  } catch (error) {
    if (error instanceof FormatError) throw new DataError(`${what}: ${error.message}`);
    throw error;
  }
}
