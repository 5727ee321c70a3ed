import { DataError } from "../errors.ts";
import { parseIdx } from "../formats/idx.ts";
import { fashionClassNames } from "./class_names.ts";
import { type Dataset, type ImageSet, joinSets } from "./dataset.ts";
import { type DataFile, folderSource } from "./files.ts";
import { named } from "./unpack.ts";
import { maximumFileBytes } from "./remote.ts";

const side = 28;
const classes = 10;
const digitNames: readonly string[] = Array.from({ length: classes }, (_, digit) => `${digit}`);

/**
 * MNIST: grey images of 28×28 pixels in the official IDX files (`train-images-idx3-ubyte` and so on), each possibly
 * gzipped, in a folder or its sub-folder `raw` as torchvision leaves them.
 * @param limit 0 leaves out the training images, whose files are then not needed
 * @throws {DataError} naming the file, what was expected there, and what was found.
 */
export function loadMnist(folder: string, limit = Infinity): Promise<Dataset> {
  // Mirrored digits are no digits, so they are shifted only.
  return load("mnist", folder, limit, digitNames, { padding: 2, flip: false });
}

/** Fashion-MNIST, in files of the same names and format; otherwise like {@link loadMnist}. */
export function loadFashionMnist(folder: string, limit = Infinity): Promise<Dataset> {
  return load("fashion-mnist", folder, limit, fashionClassNames, { padding: 2, flip: true });
}

async function load(
  name: string,
  folder: string,
  limit: number,
  classNames: readonly string[],
  augmentation: Dataset["augmentation"],
): Promise<Dataset> {
  const source = folderSource(folder, ["raw", "MNIST/raw", "FashionMNIST/raw"], maximumFileBytes);
  const read = async (file: string): Promise<DataFile> => {
    const found = await source(file);
    if (found) return found;
    throw new DataError(
      `${name}: no ${file} or ${file}.gz in ${folder}; "deno task data ${name}" downloads it, or give the folder of the ` +
        "official files (--set dataFolder=PATH)",
    );
  };
  const set = async (prefix: string) =>
    await decode(await read(`${prefix}-images-idx3-ubyte`), await read(`${prefix}-labels-idx1-ubyte`));
  return {
    name,
    height: side,
    width: side,
    channels: 1,
    maximum: 255,
    classNames,
    train: limit === 0 ? joinSets([]) : await set("train"),
    test: await set("t10k"),
    augmentation,
  };
}

async function decode(imageFile: DataFile, labelFile: DataFile): Promise<ImageSet> {
  const images = await named(imageFile.path, () => parseIdx(imageFile.bytes));
  const [count = 0, height, width] = images.shape;
  if (images.shape.length !== 3 || height !== side || width !== side || count === 0) {
    throw new DataError(`${imageFile.path}: shape [${images.shape}], expected images of [${side}, ${side}]`);
  }
  const labels = await named(labelFile.path, () => parseIdx(labelFile.bytes));
  if (labels.shape.length !== 1 || labels.shape[0] !== count) {
    throw new DataError(
      `${labelFile.path}: shape [${labels.shape}], expected a label for each of ${count} images`,
    );
  }
  const wrong = labels.data.findIndex((label) => label >= classes);
  if (wrong >= 0) {
    throw new DataError(
      `${labelFile.path}: image ${wrong} has label ${labels.data[wrong]}, expected one below ${classes}`,
    );
  }
  return { bytes: images.data, labels: Uint32Array.from(labels.data), count };
}
