import { DataError } from "../errors.ts";
import { type MatArray, parseMat } from "../formats/mat.ts";
import { digitNames } from "./class_names.ts";
import { type Dataset, type ImageSet, noImages } from "./dataset.ts";
import { type DataFile, describeFolder, exists, folderOptions, folderSource } from "./files.ts";
import { named } from "./unpack.ts";

const side = 32;
const channels = 3;
const imageSize = side * side * channels;
const classes = 10;
/** Number of images in the training set, the larger one. */
const mostImages = 73_257;
/** Bytes of a file's variables: each image with its label, which may be stored as a double, and their headers. */
const mostUnpackedBytes = mostImages * (imageSize + 2 * Float64Array.BYTES_PER_ELEMENT) + 4096;

/**
 * SVHN (cropped digits): colour images of 32×32 pixels in the official `train_32x32.mat` and `test_32x32.mat`. Label 10
 * stands for the digit 0.
 * @param testOnly Read no training images.
 * @throws {DataError} naming the file, what was expected there, and what was found.
 */
export async function loadSvhn(folder: string, testOnly = false): Promise<Dataset> {
  const source = folderSource(folder, ["svhn", "SVHN"], mostUnpackedBytes);
  const read = async (name: string): Promise<ImageSet> => {
    const file = await source(name);
    if (file) return await decode(file);
    const whole = await hasWholeNumbers(folder)
      ? " (the pictures of whole house numbers are another set)"
      : "";
    throw new DataError(
      `svhn: no ${name} in ${folder}, ${await describeFolder(
        folder,
      )}${whole}; "./run data svhn" downloads it, or ` +
        `give the folder of the official files ${folderOptions}`,
    );
  };
  return {
    name: "svhn",
    height: side,
    width: side,
    channels,
    maximum: 255,
    classNames: digitNames,
    train: testOnly ? noImages : await read("train_32x32.mat"),
    test: await read("test_32x32.mat"),
    // As in the official code: mirrored digits are not digits.
    augmentation: { padding: 4, flip: false },
  };
}

/** Whether a folder has SVHN's other format: PNG files with bounding boxes. */
async function hasWholeNumbers(folder: string): Promise<boolean> {
  for (const name of ["digitStruct.mat", "train/digitStruct.mat", "train.tar.gz"]) {
    if (await exists(`${folder}/${name}`)) return true;
  }
  return false;
}

async function decode({ path, bytes }: DataFile): Promise<ImageSet> {
  const arrays = await named(path, () => parseMat(bytes, mostUnpackedBytes));
  const images = arrays.get("X");
  const [height, width, depth, count = 0] = images?.shape ?? [];
  const isBytes = images?.data instanceof Uint8Array;
  if (!isBytes || height !== side || width !== side || depth !== channels || count === 0) {
    throw new DataError(`${path}: expected an array X of [32, 32, 3, images] bytes`);
  }
  return {
    bytes: interleave(images.data as Uint8Array, count),
    labels: labelsOf(path, arrays.get("y"), count),
    count,
  };
}

function labelsOf(path: string, array: MatArray | undefined, count: number): Uint32Array {
  if (!array || array.data.length !== count) {
    throw new DataError(`${path}: expected an array y with a label for each of ${count} images`);
  }
  return Uint32Array.from(array.data, (label, i) => {
    if (Number.isInteger(label) && label >= 1 && label <= classes) return label % classes;
    throw new DataError(`${path}: image ${i} has label ${label}, expected one from 1 to ${classes}`);
  });
}

/**
 * From MATLAB's order, rows first, then columns, channels and images, to `[count, height, width, channels]`. This works
 * in place, because all images together take a quarter of a gigabyte.
 */
function interleave(images: Uint8Array, count: number): Uint8Array {
  for (let start = 0; start < count * imageSize; start += imageSize) {
    const image = images.slice(start, start + imageSize);
    let target = start;
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        for (let c = 0; c < channels; c++) images[target++] = image[(c * side + x) * side + y]!;
      }
    }
  }
  return images;
}
