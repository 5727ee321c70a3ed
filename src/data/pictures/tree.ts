import { baseName, describeFolder, unreadable } from "../files.ts";
import { DataError } from "../../errors.ts";

/** Pictures and everything else in a folder and those below it, except what file managers leave there. */
export interface PictureTree {
  readonly name: string;
  readonly path: string;
  /** Paths of the pictures directly in the folder, ordered by name. */
  readonly pictures: readonly string[];
  /** Names of the formats of the pictures directly in it that are not read. */
  readonly unread: readonly string[];
  /** Number of files directly in it that are not pictures. */
  readonly others: number;
  /** Ordered by name. */
  readonly folders: readonly PictureTree[];
}

const pictureEnding = /\.(png|jpe?g|jpe|jfif)$/i;
/** Formats of pictures that are not read, by the endings of their file names. */
const unreadFormats: Readonly<Record<string, string>> = {
  webp: "WebP",
  gif: "GIF",
  bmp: "BMP",
  tif: "TIFF",
  tiff: "TIFF",
  ppm: "PPM",
  pgm: "PGM",
  avif: "AVIF",
  heic: "HEIC",
  heif: "HEIC",
  jxl: "JPEG XL",
  jp2: "JPEG 2000",
};
/** Folders that belong to no data set: resource forks of macOS in zip files, thumbnails of network storage. */
const foreignFolders: readonly string[] = ["__MACOSX", "@eaDir"];

/**
 * Reads a folder's tree. Links are followed, except links back to a folder above them. Hidden files and folders are
 * skipped.
 * @throws {DataError} if there is no such folder, or if something in it cannot be read.
 */
export async function readPictureTree(folder: string): Promise<PictureTree> {
  let path: string;
  try {
    path = await Deno.realPath(folder);
    if (!(await Deno.stat(path)).isDirectory) throw new Deno.errors.NotADirectory();
  } catch {
    throw new DataError(`images: no pictures in ${folder}, ${await describeFolder(folder)}`);
  }
  // "." and ".." are not names.
  const name = /^\.{0,2}$/.test(baseName(folder)) ? baseName(path) : baseName(folder);
  return await readTree(folder.replace(/(?<=.)\/+$/, ""), name, [path]);
}

/** @param above real paths of the folder and of those above it */
async function readTree(folder: string, name: string, above: readonly string[]): Promise<PictureTree> {
  const [pictures, unread, folders]: [string[], string[], PictureTree[]] = [[], [], []];
  let others = 0;
  for (const entry of await entriesOf(folder)) {
    const path = `${folder}/${entry.name}`;
    const { isDirectory, isFile } = entry.isSymlink ? await follow(path) : entry;
    const format = unreadFormats[/[^.]*$/.exec(entry.name)![0].toLowerCase()];
    if (isDirectory) {
      const real = entry.isSymlink ? await Deno.realPath(path) : `${above.at(-1)}/${entry.name}`;
      if (foreignFolders.includes(entry.name) || above.includes(real)) continue;
      folders.push(await readTree(path, entry.name, [...above, real]));
    } else if (isFile && pictureEnding.test(entry.name)) pictures.push(path);
    else if (isFile && format) unread.push(format);
    else others++;
  }
  return { name, path: folder, pictures, unread, others, folders };
}

async function entriesOf(folder: string): Promise<Deno.DirEntry[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(folder));
    return entries.filter(({ name }) => !name.startsWith(".")).sort((a, b) => compareNames(a.name, b.name));
  } catch (error) {
    throw unreadable(folder, error);
  }
}

async function follow(link: string): Promise<Deno.FileInfo> {
  try {
    return await Deno.stat(link);
  } catch (error) {
    throw unreadable(link, error);
  }
}

/** Orders names by their UTF-8 bytes, whatever the language, so that the order is the same on every machine. */
export function compareNames(a: string, b: string): number {
  let i = 0;
  while (i < a.length && a[i] === b[i]) i++;
  // Surrogates stand for the highest code points, but are not the highest units of UTF-16.
  const rank = (unit: number) => unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
  return i < a.length && i < b.length ? rank(a.charCodeAt(i)) - rank(b.charCodeAt(i)) : a.length - b.length;
}

/** A folder's tree as a list, the folder first. */
export function foldersOf(tree: PictureTree): PictureTree[] {
  return [tree, ...tree.folders.flatMap(foldersOf)];
}

/** The pictures of a folder and all below it. */
export function picturesOf(tree: PictureTree): string[] {
  return foldersOf(tree).flatMap(({ pictures }) => pictures);
}

/** Formats of the pictures in a folder and all below it that are not read, one for each picture. */
export function unreadOf(tree: PictureTree): string[] {
  return foldersOf(tree).flatMap(({ unread }) => unread);
}
