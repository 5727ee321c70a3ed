import { DataError } from "../errors.ts";
import { decodePicture } from "../formats/picture.ts";
import { permutation, Purpose, RandomStream } from "../random/philox.ts";
import type { Dataset, ImageSet } from "./dataset.ts";
import { exists, readIfPresent } from "./files.ts";
import { cropAndResize } from "./resize.ts";
import { named } from "./unpack.ts";

const channels = 3;
/** One picture in so many is kept for testing where the folder has no test pictures of its own. */
const testShare = 10;
/** The split is a property of the folder, not of a run. */
const splitSeed = 0;
const trainFolder = "train";
/** In the order in which they are preferred. */
const testFolders: readonly string[] = ["test", "val", "valid", "validation"];

/** A picture and its class. */
interface Entry {
  readonly path: string;
  readonly label: number;
}

/**
 * Pictures (PNG or JPEG, of any size) in sub-folders named after their classes; or right in the folder, such as those of
 * CelebA: then there is one class. Each is cropped to its central square and resized. With sub-folders `train` and `test`
 * (or `val`) these are the two sets, else every tenth picture, drawn at random but always the same, is for testing.
 * TinyImageNet is read as it unpacks: its `val`, labelled by a text file, is for testing, since its `test` has no labels.
 * @param size side of the images after resizing
 * @param progress called with the number of pictures read
 * @throws {DataError} naming the picture that cannot be read, or saying what the folder lacks.
 */
export async function loadImageFolder(
  folder: string,
  size: number,
  progress?: (done: number, total: number) => void,
): Promise<Dataset> {
  const { classNames, train, test } = await listPictures(folder);
  const total = train.length + test.length;
  if (train.length === 0 || test.length === 0) {
    throw new DataError(
      `images: ${total} pictures in ${folder}; expected PNG or JPEG files in a sub-folder for each class`,
    );
  }
  let done = 0;
  const read = async (entries: readonly Entry[]): Promise<ImageSet> => {
    const imageSize = size * size * channels;
    const bytes = new Uint8Array(entries.length * imageSize);
    for (const [i, { path }] of entries.entries()) {
      bytes.set(await readPicture(path, size), i * imageSize);
      progress?.(++done, total);
    }
    return { bytes, labels: Uint32Array.from(entries, ({ label }) => label), count: entries.length };
  };
  return {
    name: "images",
    height: size,
    width: size,
    channels,
    maximum: 255,
    classNames,
    train: await read(train),
    test: await read(test),
    augmentation: { padding: Math.floor(size / 8), flip: true },
  };
}

/**
 * Pictures from all over a folder as one set without classes, whatever its sub-folders mean.
 * @param size side of the images after resizing
 * @param limit most pictures that are read, drawn at random but always the same
 * @throws {DataError} naming the picture that cannot be read, or saying what the folder lacks.
 */
export async function loadPictures(folder: string, size: number, limit: number): Promise<ImageSet> {
  const { train, test } = await listPictures(folder);
  const entries = [...train, ...test];
  if (entries.length === 0) throw new DataError(`no PNG or JPEG pictures in ${folder} or its sub-folders`);
  const order = permutation(new RandomStream(splitSeed, Purpose.split, 2), entries.length).subarray(0, limit);
  const imageSize = size * size * channels;
  const bytes = new Uint8Array(order.length * imageSize);
  for (const [i, entry] of order.entries()) {
    bytes.set(await readPicture(entries[entry]!.path, size), i * imageSize);
  }
  return { bytes, labels: new Uint32Array(order.length), count: order.length };
}

async function readPicture(path: string, size: number): Promise<Uint8Array> {
  const bytes = await readIfPresent(path);
  if (!bytes) throw new DataError(`images: ${path} is gone`);
  return cropAndResize(await named(path, () => decodePicture(bytes)), size);
}

/** The pictures of a folder by class. */
interface Listing {
  readonly classNames: readonly string[];
  readonly entries: readonly Entry[];
}

async function listPictures(folder: string) {
  const subfolders = await foldersIn(folder);
  const testing = testFolders.filter((name) => subfolders.includes(name));
  if (subfolders.includes(trainFolder) && testing.length > 0) return await listSplit(folder, testing);
  const { classNames, entries } = await listClasses(folder, baseName(folder));
  const order = permutation(new RandomStream(splitSeed, Purpose.split, 1), entries.length);
  const isTest = new Set(order.subarray(0, Math.ceil(entries.length / testShare)));
  return {
    classNames,
    train: entries.filter((_, i) => !isTest.has(i)),
    test: entries.filter((_, i) => isTest.has(i)),
  };
}

/** Training pictures, and those of the first test folder that has the same classes: TinyImageNet's own has none. */
async function listSplit(folder: string, testing: readonly string[]) {
  const flatName = baseName(folder);
  const { classNames, entries } = await listClasses(`${folder}/${trainFolder}`, flatName);
  for (const name of testing) {
    const test = await listAnnotated(`${folder}/${name}`, classNames) ??
      await listClasses(`${folder}/${name}`, flatName);
    if (test.classNames.join("\n") === classNames.join("\n")) {
      return { classNames, train: entries, test: test.entries };
    }
  }
  throw new DataError(
    `images: ${folder}/${trainFolder} and ${folder}/${testing.join(", ")} have other classes`,
  );
}

/** The pictures of a folder by class, in the order of their names; in TinyImageNet they lie in sub-folders `images`. */
async function listClasses(folder: string, flatName: string): Promise<Listing> {
  const direct = await picturesIn(folder);
  if (direct.length > 0) {
    return { classNames: [flatName], entries: direct.map((path) => ({ path, label: 0 })) };
  }
  const classNames = await foldersIn(folder);
  const entries: Entry[] = [];
  for (const [label, className] of classNames.entries()) {
    const own = await picturesIn(`${folder}/${className}`);
    const nested = own.length > 0 ? own : await picturesIn(`${folder}/${className}/images`);
    entries.push(...nested.map((path) => ({ path, label })));
  }
  return { classNames, entries };
}

/**
 * The pictures of TinyImageNet's `val`, whose classes are in a text file: a picture's name, a tab and its class on each
 * line. Nothing if there is no such file.
 */
async function listAnnotated(folder: string, classNames: readonly string[]): Promise<Listing | undefined> {
  const path = `${folder}/val_annotations.txt`;
  const bytes = await readIfPresent(path);
  if (!bytes) return undefined;
  const lines = new TextDecoder().decode(bytes).split("\n").map((line) => line.split("\t", 2));
  const classOf = new Map(lines.map(([picture, className]) => [picture, className]));
  const entries = (await picturesIn(`${folder}/images`)).map((picture) => {
    const label = classNames.indexOf(classOf.get(baseName(picture)) ?? "");
    if (label >= 0) return { path: picture, label };
    throw new DataError(
      `${path}: ${baseName(picture)} has no class, or one that there is no training picture of`,
    );
  });
  return { classNames, entries };
}

function baseName(path: string): string {
  return path.replace(/\/+$/, "").split("/").at(-1)!;
}

async function picturesIn(folder: string): Promise<string[]> {
  const names = await namesIn(folder, ({ isFile }, name) => isFile && /\.(png|jpe?g)$/i.test(name));
  return names.map((name) => `${folder}/${name}`);
}

async function foldersIn(folder: string): Promise<string[]> {
  return await namesIn(folder, ({ isDirectory }) => isDirectory);
}

/** What an entry of a folder is, or what it links to. */
type Kind = Pick<Deno.FileInfo, "isFile" | "isDirectory">;

/** Sorted names of what a folder contains, but for hidden files; none if there is no such folder. */
async function namesIn(folder: string, wanted: (kind: Kind, name: string) => boolean): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const entry of Deno.readDir(folder)) {
      if (entry.name.startsWith(".")) continue;
      const kind = entry.isSymlink ? await Deno.stat(`${folder}/${entry.name}`) : entry;
      if (wanted(kind, entry.name)) names.push(entry.name);
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotFound && !await exists(folder)) return [];
    throw new DataError(`cannot read ${folder}: ${error instanceof Error ? error.message : error}`);
  }
  return names.sort();
}
