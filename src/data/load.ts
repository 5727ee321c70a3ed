import { fileURLToPath } from "node:url";
import { DataError } from "../errors.ts";
import { loadCifar10, loadCifar100 } from "./cifar.ts";
import { type Dataset, type DatasetName, firstImages } from "./dataset.ts";
import { loadDigits } from "./digits.ts";
import { readIfPresent } from "./files.ts";
import { loadImageFolder } from "./image_folder.ts";
import { loadFashionMnist, loadMnist } from "./mnist.ts";
import { loadSvhn } from "./svhn.ts";

/** Which data set to load, from where, and how much of it. */
export interface DatasetSource {
  readonly name: DatasetName;
  /** Folder with the files; {@link defaultFolder} if there is none. */
  readonly folder?: string | null | undefined;
  /** Keep the first so many training images only; with 0 their files are not looked for. */
  readonly limit?: number | null | undefined;
  /** Side to which the pictures of a folder are resized; other data sets have their own. */
  readonly imageSize?: number | undefined;
  /** Called while a folder of pictures is read. */
  readonly progress?: ((done: number, total: number) => void) | undefined;
}

const defaultImageSize = 32;

/** Where a data set lies unless a folder is named: `data/NAME` in the project, where `deno task data` puts it. */
export function defaultFolder(name: string): string {
  return fileURLToPath(new URL(`../../data/${name}`, import.meta.url));
}

/**
 * Loads a data set into memory.
 * @throws {DataError} if files are missing or damaged.
 */
export async function loadDataset(source: DatasetSource): Promise<Dataset> {
  const limit = source.limit ?? Infinity;
  const dataset = await loadWhole(source, source.folder ?? defaultFolder(source.name), limit);
  return { ...dataset, train: firstImages(dataset.train, limit) };
}

async function loadWhole(
  { name, folder: given, imageSize, progress }: DatasetSource,
  folder: string,
  limit: number,
): Promise<Dataset> {
  switch (name) {
    case "digits":
      return await readDigits(folder);
    case "mnist":
      return await loadMnist(folder, limit);
    case "fashion-mnist":
      return await loadFashionMnist(folder, limit);
    case "cifar10":
      return await loadCifar10(folder, limit);
    case "cifar100":
      return await loadCifar100(folder, limit);
    case "svhn":
      return await loadSvhn(folder, limit);
    case "images":
      if (!given) throw new DataError("images: give the folder of pictures (--set dataFolder=PATH)");
      return await loadImageFolder(folder, imageSize ?? defaultImageSize, progress);
  }
}

async function readDigits(folder: string): Promise<Dataset> {
  const path = `${folder}/digits.csv.gz`;
  const bytes = await readIfPresent(path);
  if (!bytes) throw new DataError(`digits: no file ${path}`);
  return await loadDigits(bytes);
}
