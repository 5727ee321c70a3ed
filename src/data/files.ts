import { DataError, FormatError } from "../errors.ts";
import { beginningOf } from "../formats/byte_source.ts";
import { printable } from "../formats/text.ts";
import { readTar } from "../formats/archives/tar.ts";
import { gunzip, gunzipped, isGzip } from "./gunzip.ts";
import { readRegularFile, RegularFile } from "./regular_file.ts";
import { named } from "./unpack.ts";

/** How commands are told where a data set is. */
export const folderOptions = "(--set dataFolder=PATH in training, else --data-folder PATH)";

/** A file of a data set in memory. */
export interface DataFile {
  /** Where it was found, for messages. */
  readonly path: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Where a data set's files are found by name. */
export type FileSource = (name: string) => Promise<DataFile | undefined>;

/** Deflate adds five bytes to each block of 64 kB that it cannot compress, and a gzip file has a header. */
const gzipShare = 1 / 8192;
const gzipHeader = 2 ** 16;

/** Names in a folder that a message shows. */
const mostShownNames = 8;

/**
 * A file's bytes, or undefined if there is no such file, or a folder in its place.
 * @param maximumBytes nothing is read of a larger file
 * @throws {DataError} if it exists and cannot be read, is larger, or is a pipe or a device.
 */
export async function readIfPresent(
  path: string,
  maximumBytes: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return await readRegularFile(path, maximumBytes);
  } catch (error) {
    if (isMissing(error) || (await kindOf(path))?.isDirectory) return undefined;
    throw error instanceof FormatError ? new DataError(error.message) : unreadable(path, error);
  }
}

/** The most bytes of a file that has `maximumBytes`, or unpacks to as many. */
export function mostPackedBytes(bytes: number): number {
  return Math.ceil((1 + gzipShare) * bytes) + gzipHeader;
}

/** Whether something exists at a path. */
export async function exists(path: string): Promise<boolean> {
  return await kindOf(path) !== undefined;
}

/** What exists at a path, or at the target of a link there, if anything. */
async function kindOf(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw unreadable(path, error);
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
}

/** The system's error about a path. */
export function unreadable(path: string, error: unknown): DataError {
  return new DataError(`cannot read ${path}: ${error instanceof Error ? error.message : error}`);
}

/** Why files are not in a folder: what it is, or which names it holds; to follow "in FOLDER". */
export async function describeFolder(folder: string): Promise<string> {
  const kind = await kindOf(folder);
  if (!kind) {
    // Commands put the current folder before a path that does not begin with a slash.
    return /(^|\/)~/.test(folder)
      ? 'which does not exist: "~" stands for your home folder in a shell only, so write the whole path'
      : "which does not exist";
  }
  if (!kind.isDirectory) return "which is a file, not a folder";
  const names = (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();
  if (names.length === 0) return "which is empty";
  const shown = names.slice(0, mostShownNames).map(printable).join(", ");
  return `which has ${shown}${
    names.length > mostShownNames ? ` and ${names.length - mostShownNames} more` : ""
  }`;
}

/**
 * Files with the given names in a folder or its sub-folders, plain or gzipped, as their content shows; or in folders
 * with a file's name, as some programs unpack archives.
 * @param maximumBytes the most that a file may have, packed and unpacked
 * @param spellings the names under which a file may be found
 */
export function folderSource(
  folder: string,
  subfolders: readonly string[],
  maximumBytes: number,
  spellings: (name: string) => readonly string[] = (name) => [name],
): FileSource {
  const parents = [folder, ...subfolders.map((subfolder) => `${folder}/${subfolder}`)];
  return async (name) => {
    const files = spellings(name).flatMap((spelling) => [spelling, `${spelling}.gz`]);
    const inFolders = spellings(name).flatMap((own) => files.map((file) => `${own}/${file}`));
    for (const parent of parents) {
      for (const file of [...files, ...inFolders]) {
        const path = `${parent}/${file}`;
        const bytes = await readIfPresent(path, mostPackedBytes(maximumBytes));
        if (bytes) return { path, bytes: await unpacked(path, bytes, maximumBytes) };
      }
    }
    return undefined;
  };
}

async function unpacked(path: string, bytes: Uint8Array<ArrayBuffer>, maximumBytes: number) {
  return isGzip(bytes) ? await named(path, () => gunzip(bytes, maximumBytes)) : bytes;
}

/**
 * Files of a tar archive, gzipped or not, by the last part of their names, the first of each. The archive is unpacked
 * in memory, once, and only these files are kept.
 * @throws {DataError} if it is damaged, or a file in it has more than `maximumBytes`.
 */
export async function archiveSource(
  path: string,
  names: readonly string[],
  maximumBytes: number,
): Promise<FileSource> {
  // Each name is taken once, or an archive of many small folders could fill the memory with copies.
  const missing = new Set(names);
  const files = await named(path, async () => {
    using file = await RegularFile.open(path);
    const pieces = isGzip(beginningOf(file, 2)) ? gunzipped(file.stream()) : file.stream();
    return await readTar(pieces, (name) => missing.delete(baseName(name)), maximumBytes);
  });
  const found = new Map(
    [...files].map(([name, bytes]) => [baseName(name), { path: `${path}: ${name}`, bytes }]),
  );
  return (name) => Promise.resolve(found.get(name));
}

/** The last part of a path. */
export function baseName(path: string): string {
  return path.replace(/\/+$/, "").split("/").at(-1)!;
}
