import { fileURLToPath } from "node:url";
import { DataError } from "../errors.ts";
import { loadCifar10, loadCifar100 } from "./cifar.ts";
import { type Dataset, type DatasetName, selectImages } from "./dataset.ts";
import { loadDigits, mostDigitsBytes } from "./digits.ts";
import { Draw, stratifiedDraw } from "./draw.ts";
import { folderOptions, mostPackedBytes, readIfPresent } from "./files.ts";
import { loadImageFolder } from "./pictures/image_folder.ts";
import { loadFashionMnist, loadMnist } from "./mnist.ts";
import { loadSvhn } from "./svhn.ts";

/** Which data set to load, from where, and how much of it. */
export interface DatasetSource {
  readonly name: DatasetName;
  /** Folder with the files; {@link defaultFolder} by default. */
  readonly folder?: string | null | undefined;
  /**
   * Keep only this number of training images, drawn at random but always the same, with each class keeping its share.
   */
  readonly limit?: number | null | undefined;
  /** Read no training images, because the set is only tested on. Folders of pictures and the digits are read whole. */
  readonly testOnly?: boolean | undefined;
  /** Side to which the pictures of a folder are resized. Other data sets have their own size. */
  readonly imageSize?: number | undefined;
  /** Share of a folder's pictures that is held out for testing if it has no test pictures of its own. */
  readonly testShare?: number | undefined;
  /** Called with what was found in a folder of pictures, before they are read. */
  readonly found?: ((summary: string) => void) | undefined;
  /** Called while a folder of pictures is read. */
  readonly progress?: ((done: number, total: number) => void) | undefined;
}

const defaultImageSize = 32;
/** Every tenth picture. */
const defaultTestShare = 0.1;

/** Where a data set is unless a folder is named: `data/NAME` in the project, where `./run data` puts it. */
export function defaultFolder(name: string): string {
  return fileURLToPath(new URL(`../../data/${name}`, import.meta.url));
}

/**
 * Loads a data set into memory.
 * @throws {DataError} if files are missing or damaged.
 */
export async function loadDataset(source: DatasetSource): Promise<Dataset> {
  const dataset = await loadWhole(source, source.folder ?? defaultFolder(source.name));
  const { train } = dataset;
  const { limit } = source;
  if (limit === undefined || limit === null || limit >= train.count) return dataset;
  const kept = stratifiedDraw(train.labels, limit, Draw.dataLimit).toSorted();
  return { ...dataset, train: selectImages(train, kept) };
}

async function loadWhole(
  {
    name,
    folder: given,
    testOnly = false,
    imageSize: size = defaultImageSize,
    testShare = defaultTestShare,
    ...calls
  }: DatasetSource,
  folder: string,
): Promise<Dataset> {
  switch (name) {
    case "digits":
      return await readDigits(folder);
    case "mnist":
      return await loadMnist(folder, testOnly);
    case "fashion-mnist":
      return await loadFashionMnist(folder, testOnly);
    case "cifar10":
      return await loadCifar10(folder, testOnly);
    case "cifar100":
      return await loadCifar100(folder, testOnly);
    case "svhn":
      return await loadSvhn(folder, testOnly);
    case "images":
      if (!given) throw new DataError(`images: give the folder of pictures ${folderOptions}`);
      return await loadImageFolder(folder, { size, testShare, found: calls.found, progress: calls.progress });
  }
}

async function readDigits(folder: string): Promise<Dataset> {
  const path = `${folder}/digits.csv.gz`;
  const bytes = await readIfPresent(path, mostPackedBytes(mostDigitsBytes));
  if (!bytes) throw new DataError(`digits: no file ${path}`);
  return await loadDigits(bytes);
}
