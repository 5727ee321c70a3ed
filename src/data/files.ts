import { DataError } from "../errors.ts";
import { decompressed } from "../formats/decompress.ts";
import { readTar } from "../formats/tar.ts";
import { named, unpack } from "./unpack.ts";

/** A file of a data set in memory. */
export interface DataFile {
  /** Where it was found, for messages. */
  readonly path: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Where a data set's files are found by name. */
export type FileSource = (name: string) => Promise<DataFile | undefined>;

/**
 * A file's bytes, or nothing if there is no such file.
 * @throws {DataError} if it exists and cannot be read.
 */
export async function readIfPresent(path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw new DataError(`cannot read ${path}: ${error instanceof Error ? error.message : error}`);
  }
}

/** Whether there is something at a path. */
export async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, (error) => {
    if (isMissing(error)) return false;
    throw new DataError(`cannot read ${path}: ${error instanceof Error ? error.message : error}`);
  });
}

function isMissing(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
}

/**
 * Files in a folder or its sub-folders of the given names, as they are or gzipped (`.gz`).
 * @param maximumBytes most that a file may unpack to
 */
export function folderSource(
  folder: string,
  subfolders: readonly string[],
  maximumBytes: number,
): FileSource {
  return async (name) => {
    for (const parent of [folder, ...subfolders.map((subfolder) => `${folder}/${subfolder}`)]) {
      for (const path of [`${parent}/${name}`, `${parent}/${name}.gz`]) {
        const bytes = await readIfPresent(path);
        if (!bytes) continue;
        return { path, bytes: path.endsWith(".gz") ? await unpack(path, bytes, maximumBytes) : bytes };
      }
    }
    return undefined;
  };
}

/**
 * Files of a `.tar.gz`, by the last part of their names, the first of each; the archive is unpacked in memory, once, and
 * only these are kept.
 * @throws {DataError} if it is damaged, or a file in it has more than `maximumBytes`.
 */
export async function archiveSource(
  path: string,
  names: readonly string[],
  maximumBytes: number,
): Promise<FileSource> {
  const baseName = (name: string) => name.slice(name.lastIndexOf("/") + 1);
  // No name is taken twice, or an archive of many small folders could fill the memory with copies.
  const missing = new Set(names);
  const files = await named(path, async () => {
    const file = await Deno.open(path);
    return await readTar(
      decompressed(file.readable, "gzip"),
      (name) => missing.delete(baseName(name)),
      maximumBytes,
    );
  });
  const found = new Map(
    [...files].map(([name, bytes]) => [baseName(name), { path: `${path}: ${name}`, bytes }]),
  );
  return (name) => Promise.resolve(found.get(name));
}
