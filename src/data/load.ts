import { DataError } from "../errors.ts";
import { loadCifar10, loadCifar100 } from "./cifar.ts";
import { type Dataset, firstImages } from "./dataset.ts";
import { loadDigits } from "./digits.ts";
import { readIfPresent } from "./files.ts";

/** Data sets that can be loaded by name. */
export type DatasetName = "digits" | "cifar10" | "cifar100";

/** Which data set to load, from where, and how much of it. */
export interface DatasetSource {
  readonly name: DatasetName;
  /** Folder with the files; the digits come with the project and need none. */
  readonly folder?: string | null | undefined;
  /** Keep the first so many training images only. */
  readonly limit?: number | null | undefined;
}

const bundledDigits = new URL("../../data/digits/", import.meta.url);

/**
 * Loads a data set into memory.
 * @throws {DataError} if files are missing or damaged.
 */
export async function loadDataset(source: DatasetSource): Promise<Dataset> {
  const folder = source.folder ?? undefined;
  const limit = source.limit ?? undefined;
  switch (source.name) {
    case "cifar10":
      return await loadCifar10(folder, { limit });
    case "cifar100":
      return await loadCifar100(folder, { limit });
    case "digits": {
      const digits = loadDigits(await readDigits(folder));
      return limit === undefined ? digits : { ...digits, train: firstImages(digits.train, limit) };
    }
  }
}

async function readDigits(folder: string | undefined): Promise<Uint8Array> {
  const file = "digits.csv.gz";
  const path = folder === undefined ? new URL(file, bundledDigits) : `${folder}/${file}`;
  const bytes = await readIfPresent(path);
  if (!bytes) throw new DataError(`digits: no file ${path instanceof URL ? path.pathname : path}`);
  return bytes;
}
