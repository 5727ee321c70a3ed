import { DataError } from "../errors.ts";
import { parseIdx } from "../formats/idx.ts";
import { digitNames, fashionClassNames } from "./class_names.ts";
import { type Dataset, type ImageSet, noImages } from "./dataset.ts";
import { type DataFile, describeFolder, folderOptions, folderSource } from "./files.ts";
import { named } from "./unpack.ts";

const side = 28;
const classes = 10;
/** The published sets have 60,000 images. Others in the same format may have twice as many. */
const mostImages = 120_000;
/** Bytes of a header of three dimensions. */
const headerBytes = 16;
/** The most bytes that a file of images or of labels unpacks to. */
const mostBytes = {
  images: headerBytes + mostImages * side * side,
  labels: headerBytes + mostImages,
} as const;

/**
 * MNIST: grey images of 28×28 pixels in the official IDX files (`train-images-idx3-ubyte` and so on), each possibly
 * gzipped, in a folder or its sub-folder `raw` as torchvision leaves them, or as Kaggle's copy has them:
 * `train-images.idx3-ubyte`, or in a folder of the file's name.
 * @param testOnly Read no training images.
 * @throws {DataError} naming the file, what was expected there, and what was found.
 */
export function loadMnist(folder: string, testOnly = false): Promise<Dataset> {
  // Mirrored digits are not digits, so digits are only shifted.
  const subfolders = ["raw", "MNIST/raw", "MNIST"];
  return load("mnist", { folder, subfolders, testOnly }, digitNames, { padding: 2, flip: false });
}

/** Fashion-MNIST, in files of the same names and format; otherwise like {@link loadMnist}. */
export function loadFashionMnist(folder: string, testOnly = false): Promise<Dataset> {
  const subfolders = ["raw", "FashionMNIST/raw", "FashionMNIST"];
  return load("fashion-mnist", { folder, subfolders, testOnly }, fashionClassNames, {
    padding: 2,
    flip: true,
  });
}

async function load(
  name: string,
  { folder, subfolders, testOnly }: {
    readonly folder: string;
    readonly subfolders: readonly string[];
    readonly testOnly: boolean;
  },
  classNames: readonly string[],
  augmentation: Dataset["augmentation"],
): Promise<Dataset> {
  const spellings = (file: string) => [file, file.replace("-idx", ".idx")];
  const sources = {
    images: folderSource(folder, subfolders, mostBytes.images, spellings),
    labels: folderSource(folder, subfolders, mostBytes.labels, spellings),
  };
  const read = async (file: string, kind: keyof typeof sources): Promise<DataFile> => {
    const found = await sources[kind](file);
    if (found) return found;
    throw new DataError(
      `${name}: no ${file} or ${file}.gz in ${folder}, ${await describeFolder(folder)}; ` +
        `"./run data ${name}" downloads it, or give the folder of the official files ${folderOptions}`,
    );
  };
  const set = async (prefix: string) =>
    await decode(
      await read(`${prefix}-images-idx3-ubyte`, "images"),
      await read(`${prefix}-labels-idx1-ubyte`, "labels"),
    );
  return {
    name,
    height: side,
    width: side,
    channels: 1,
    maximum: 255,
    classNames,
    train: testOnly ? noImages : await set("train"),
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
