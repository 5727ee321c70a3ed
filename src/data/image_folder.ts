import { DataError } from "../errors.ts";
import { decodePicture } from "../formats/picture.ts";
import { permutation, Purpose, RandomStream } from "../random/philox.ts";
import type { Dataset, ImageSet } from "./dataset.ts";
import { named } from "./unpack.ts";
import { cropAndResize } from "./resize.ts";

const channels = 3;
/** One picture in so many is kept for testing where the folder has no test pictures of its own. */
const testShare = 10;
/** The split is a property of the folder, not of a run. */
const splitSeed = 0;
const testFolders = ["test", "val", "valid", "validation"];

/** A picture and its class. */
interface Entry {
  readonly path: string;
  readonly label: number;
}

/**
 * Pictures (PNG or JPEG, of any size) in sub-folders named after their classes, such as those of TinyImageNet; or right
 * in the folder, such as those of CelebA: then there is one class. Each is cropped to its central square and resized.
 * With sub-folders `train` and `test` (or `val`) these are the two sets, else every tenth picture, drawn at random but
 * always the same, is for testing.
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

async function readPicture(path: string, size: number): Promise<Uint8Array> {
  const bytes = await Deno.readFile(path);
  return cropAndResize(await named(path, () => decodePicture(bytes)), size);
}

async function listPictures(folder: string) {
  const subfolders = await namesIn(folder, (entry) => entry.isDirectory);
  const trainFolder = subfolders.find((name) => name === "train");
  const testFolder = subfolders.find((name) => testFolders.includes(name));
  if (trainFolder !== undefined && testFolder !== undefined) {
    const training = await listClasses(`${folder}/${trainFolder}`);
    const testing = await listClasses(`${folder}/${testFolder}`);
    if (training.classNames.join() !== testing.classNames.join()) {
      throw new DataError(`images: ${folder}/${trainFolder} and ${folder}/${testFolder} have other classes`);
    }
    return { classNames: training.classNames, train: training.entries, test: testing.entries };
  }
  const { classNames, entries } = await listClasses(folder);
  const order = permutation(new RandomStream(splitSeed, Purpose.split, 1), entries.length);
  const isTest = new Set(order.subarray(0, Math.ceil(entries.length / testShare)));
  return {
    classNames,
    train: entries.filter((_, i) => !isTest.has(i)),
    test: entries.filter((_, i) => isTest.has(i)),
  };
}

/** The pictures of a folder by class, in the order of their names; in TinyImageNet they lie in sub-folders `images`. */
async function listClasses(
  folder: string,
): Promise<{ classNames: readonly string[]; entries: readonly Entry[] }> {
  const direct = await picturesIn(folder);
  const name = folder.replace(/\/+$/, "").split("/").at(-1)!;
  if (direct.length > 0) return { classNames: [name], entries: direct.map((path) => ({ path, label: 0 })) };
  const classNames = await namesIn(folder, (entry) => entry.isDirectory);
  const entries: Entry[] = [];
  for (const [label, className] of classNames.entries()) {
    const own = await picturesIn(`${folder}/${className}`);
    const nested = own.length > 0 ? own : await picturesIn(`${folder}/${className}/images`);
    entries.push(...nested.map((path) => ({ path, label })));
  }
  return { classNames, entries };
}

async function picturesIn(folder: string): Promise<string[]> {
  const names = await namesIn(folder, (entry) => !entry.isDirectory && /\.(png|jpe?g)$/i.test(entry.name));
  return names.map((name) => `${folder}/${name}`);
}

/** Sorted names of what a folder contains; none if there is no such folder. */
async function namesIn(folder: string, wanted: (entry: Deno.DirEntry) => boolean): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const entry of Deno.readDir(folder)) if (wanted(entry)) names.push(entry.name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw new DataError(`cannot read ${folder}: ${error instanceof Error ? error.message : error}`);
  }
  return names.sort();
}
