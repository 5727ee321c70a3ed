import { type Dataset, type DatasetName, datasetNames, type ImageSet } from "../data/dataset.ts";
import { exists } from "../data/files.ts";
import { DataError } from "../errors.ts";
import { loadPictures } from "../data/pictures/image_folder.ts";
import { defaultFolder, loadDataset } from "../data/load.ts";
import { printError, UsageError } from "./command.ts";

/** A set of images that the model was not trained on. */
export interface OtherSet {
  readonly name: string;
  readonly set: ImageSet;
}

/** Folders of pictures that are looked for in `data/`, besides the data sets for training. */
const pictureFolders = ["celeba"];

/**
 * The sets that were named, `NAME=DIR`, and those in `data/`, if they have the data set's format. A data set's name
 * stands for its test images, any other name for a folder of pictures. A set in `data/` that cannot be read, such as an
 * interrupted download, is left out, with a line about it.
 * @param limit most pictures that are read from a folder
 * @param folderOf returns where an unnamed set is
 * @throws {UsageError} if an option has another form, or a name is given twice.
 * @throws {DataError} if files of a set that was named are missing or damaged.
 */
export async function otherSets(
  dataset: Dataset,
  named: readonly string[],
  limit: number,
  folderOf: (name: string) => string = defaultFolder,
): Promise<OtherSet[]> {
  const folders = await foldersInData(dataset.name, folderOf);
  const given = named.map(parseOption);
  given.forEach(({ name, folder }, i) => {
    if (given.findIndex((other) => other.name === name) < i) {
      throw new UsageError(`--ood ${name} is given twice`);
    }
    folders.set(name, folder);
  });
  const others: OtherSet[] = [];
  for (const [name, folder] of folders) {
    try {
      const set = await readSet(dataset, name, folder, limit);
      if (set) others.push({ name, set });
      else printError(`${name} is left out: its images have another format than those of ${dataset.name}`);
    } catch (error) {
      if (!(error instanceof DataError) || given.some((set) => set.name === name)) throw error;
      printError(`${name} is left out: ${error.message}`);
    }
  }
  return others;
}

async function foldersInData(own: string, folderOf: (name: string) => string): Promise<Map<string, string>> {
  const folders = new Map<string, string>();
  for (const name of [...datasetNames, ...pictureFolders]) {
    const folder = folderOf(name);
    if (name !== own && name !== "digits" && name !== "images" && await exists(folder)) {
      folders.set(name, folder);
    }
  }
  return folders;
}

function parseOption(text: string): { name: string; folder: string } {
  const [, name, folder] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (name !== undefined && folder !== undefined) return { name, folder };
  throw new UsageError(`--ood takes NAME=DIR, not "${text}"`);
}

/** The images, if they have the data set's format. */
async function readSet(
  dataset: Dataset,
  name: string,
  folder: string,
  limit: number,
): Promise<ImageSet | undefined> {
  const known = datasetNames.find((other): other is Exclude<DatasetName, "images"> =>
    other === name && other !== "images"
  );
  if (known) {
    const other = await loadDataset({ name: known, folder, testOnly: true });
    const keys = ["height", "width", "channels", "maximum"] as const;
    return keys.every((key) => other[key] === dataset[key]) ? other.test : undefined;
  }
  const { height, width, channels, maximum } = dataset;
  if (height !== width || channels !== 3 || maximum !== 255) return undefined;
  return await loadPictures(folder, height, limit);
}
