import { DataError } from "../../errors.ts";
import { mostPictureBytes } from "../../formats/budget.ts";
import { decodePicture } from "../../formats/pictures/picture.ts";
import { permutation, Purpose, RandomStream } from "../../random/philox.ts";
import type { Dataset, ImageSet } from "../dataset.ts";
import { readIfPresent } from "../files.ts";
import { type LabelledPicture, listPictureClasses } from "./classes.ts";
import { picturesOf, readPictureTree } from "./tree.ts";
import { cropAndResize } from "./resize.ts";
import { named } from "../unpack.ts";

const channels = 3;
/** With a limit, which pictures are read depends on the folder alone. */
const [choiceSeed, choiceStream] = [0, 2];

/** How to read a folder of pictures. */
export interface ImageFolderOptions {
  /** Side of the images after resizing. */
  readonly size: number;
  /** Share of each class that is held out for testing if the folder has no test pictures of its own. */
  readonly testShare: number;
  /** Called once, before the pictures are read, with what was found. */
  readonly found?: ((summary: string) => void) | undefined;
  /** Called with the number of pictures read. */
  readonly progress?: ((done: number, total: number) => void) | undefined;
}

/**
 * Pictures (PNG or JPEG, of any size) by class, as `listPictureClasses` finds them. Each is cropped to its central
 * square and resized.
 * @throws {DataError} naming the picture that cannot be read, or saying what the folder lacks.
 */
export async function loadImageFolder(
  folder: string,
  { size, testShare, found, progress }: ImageFolderOptions,
): Promise<Dataset> {
  const { classNames, train, test, summary } = await listPictureClasses(folder, testShare);
  found?.(summary);
  const total = train.length + test.length;
  let done = 0;
  const read = async (pictures: readonly LabelledPicture[]): Promise<ImageSet> => ({
    bytes: await readPictures(pictures.map(({ path }) => path), size, () => progress?.(++done, total)),
    labels: Uint32Array.from(pictures, ({ label }) => label),
    count: pictures.length,
  });
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
 * Pictures from anywhere in a folder as one set without classes, whatever its sub-folders mean.
 * @param size side of the images after resizing
 * @param limit most pictures that are read, drawn at random but always the same
 * @throws {DataError} naming the picture that cannot be read, or saying what the folder lacks.
 */
export async function loadPictures(folder: string, size: number, limit: number): Promise<ImageSet> {
  const paths = picturesOf(await readPictureTree(folder));
  if (paths.length === 0) throw new DataError(`no PNG or JPEG pictures in ${folder} or its sub-folders`);
  const order = permutation(new RandomStream(choiceSeed, Purpose.split, choiceStream), paths.length);
  const chosen = Array.from(order.subarray(0, limit), (index) => paths[index]!);
  return {
    bytes: await readPictures(chosen, size),
    labels: new Uint32Array(chosen.length),
    count: chosen.length,
  };
}

async function readPictures(
  paths: readonly string[],
  size: number,
  progress?: () => void,
): Promise<Uint8Array> {
  const imageSize = size * size * channels;
  const images = new Uint8Array(paths.length * imageSize);
  for (const [i, path] of paths.entries()) {
    const bytes = await readIfPresent(path, mostPictureBytes);
    if (!bytes) throw new DataError(`images: ${path} is gone`);
    const picture = await named(path, () => decodePicture(bytes));
    images.set(cropAndResize(picture, size), i * imageSize);
    progress?.();
  }
  return images;
}
