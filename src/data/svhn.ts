import { DataError } from "../errors.ts";
import { type MatArray, parseMat } from "../formats/mat.ts";
import { type Dataset, type ImageSet, joinSets } from "./dataset.ts";
import { type DataFile, folderSource } from "./files.ts";
import { named } from "./unpack.ts";
import { maximumFileBytes } from "./remote.ts";

const side = 32;
const channels = 3;
const imageSize = side * side * channels;
const classes = 10;

/**
 * SVHN (cropped digits): colour images of 32×32 pixels in the official `train_32x32.mat` and `test_32x32.mat`. Label 10
 * stands for the digit 0.
 * @param limit 0 leaves out the training images, whose file is then not needed
 * @throws {DataError} naming the file, what was expected there, and what was found.
 */
export async function loadSvhn(folder: string, limit = Infinity): Promise<Dataset> {
  const source = folderSource(folder, ["svhn", "SVHN"], maximumFileBytes);
  const read = async (name: string): Promise<ImageSet> => {
    const file = await source(name);
    if (file) return await decode(file);
    throw new DataError(
      `svhn: no ${name} in ${folder}; "deno task data svhn" downloads it, or give the folder of the official files ` +
        "(--set dataFolder=PATH)",
    );
  };
  return {
    name: "svhn",
    height: side,
    width: side,
    channels,
    maximum: 255,
    classNames: Array.from({ length: classes }, (_, digit) => `${digit}`),
    train: limit === 0 ? joinSets([]) : await read("train_32x32.mat"),
    test: await read("test_32x32.mat"),
    // As in the official code: mirrored digits are no digits.
    augmentation: { padding: 4, flip: false },
  };
}

async function decode({ path, bytes }: DataFile): Promise<ImageSet> {
  const arrays = await named(path, () => parseMat(bytes, maximumFileBytes));
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

/** From MATLAB's order, rows first, then columns, channels and images, to `[count, height, width, channels]`. */
function interleave(from: Uint8Array, count: number): Uint8Array {
  const to = new Uint8Array(count * imageSize);
  let target = 0;
  for (let image = 0; image < count; image++) {
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        for (let c = 0; c < channels; c++) {
          to[target++] = from[image * imageSize + (c * side + x) * side + y]!;
        }
      }
    }
  }
  return to;
}
