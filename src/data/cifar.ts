import { DataError } from "../errors.ts";
import { cifar100ClassNames, cifar10ClassNames } from "./class_names.ts";
import type { Dataset, ImageSet } from "./dataset.ts";
import { decompress, readIfPresent } from "./files.ts";

const side = 32;
const channels = 3;
const plane = side * side;
const imageBytes = plane * channels;
/** Above the 154 MB of the largest file, the training set of CIFAR-100. */
const maximumFileBytes = 2 ** 28;

/** What distinguishes the two data sets on disk. A record is the label bytes, then a red, a green and a blue plane. */
interface Layout {
  readonly name: string;
  /** Official archive of the binary version, and the folder that it unpacks to. */
  readonly archive: string;
  readonly folder: string;
  readonly trainingFiles: readonly string[];
  readonly testFile: string;
  /** Number of classes of each label byte; the last one is the label that is used. */
  readonly labelClasses: readonly number[];
  readonly classNames: readonly string[];
}

const cifar10: Layout = {
  name: "cifar10",
  archive: "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
  folder: "cifar-10-batches-bin",
  trainingFiles: [1, 2, 3, 4, 5].map((batch) => `data_batch_${batch}.bin`),
  testFile: "test_batch.bin",
  labelClasses: [10],
  classNames: cifar10ClassNames,
};

const cifar100: Layout = {
  name: "cifar100",
  archive: "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
  folder: "cifar-100-binary",
  trainingFiles: ["train.bin"],
  testFile: "test.bin",
  labelClasses: [20, 100],
  classNames: cifar100ClassNames,
};

/** What to load; both are optional. */
export interface CifarOptions {
  /** Keep the first so many training images only. */
  readonly limit?: number | undefined;
}

/**
 * CIFAR-10 in the official binary format: `data_batch_1.bin` to `data_batch_5.bin` and `test_batch.bin`, each possibly
 * gzipped (`.gz`). Training batches that are absent are left out; at least one is needed.
 * @param folder Folder with the files, or one above it that has them under the official name; `undefined` if not given.
 * @throws {DataError} naming the file, what was expected there, and what was found.
 */
export function loadCifar10(folder: string | undefined, options: CifarOptions = {}): Promise<Dataset> {
  return load(cifar10, folder, options.limit ?? Infinity);
}

/** CIFAR-100 with its fine labels: `train.bin` and `test.bin`; otherwise like {@link loadCifar10}. */
export function loadCifar100(folder: string | undefined, options: CifarOptions = {}): Promise<Dataset> {
  return load(cifar100, folder, options.limit ?? Infinity);
}

async function load(layout: Layout, folder: string | undefined, limit: number): Promise<Dataset> {
  if (folder === undefined) throw missing(layout, "no folder given");
  const test = await readSet(layout, folder, layout.testFile, Infinity);
  if (!test) throw missing(layout, `no ${layout.testFile} or ${layout.testFile}.gz in ${folder}`);
  const parts: ImageSet[] = [];
  let count = 0;
  for (const file of layout.trainingFiles) {
    if (count >= limit) break;
    const part = await readSet(layout, folder, file, limit - count);
    if (!part) continue;
    parts.push(part);
    count += part.count;
  }
  if (count === 0) throw missing(layout, `no ${layout.trainingFiles.join(", ")} in ${folder}`);
  return {
    name: layout.name,
    height: side,
    width: side,
    channels,
    maximum: 255,
    classNames: layout.classNames,
    train: join(parts, count),
    test,
    augmentation: { padding: 4, flip: true },
  };
}

function missing({ name, archive }: Layout, what: string): DataError {
  return new DataError(`${name}: ${what}; unpack ${archive} and give its folder (--set dataFolder=PATH)`);
}

/** Up to `limit` images of one file; nothing if neither the file nor its gzipped form exists. */
async function readSet(
  layout: Layout,
  folder: string,
  name: string,
  limit: number,
): Promise<ImageSet | undefined> {
  for (const parent of [folder, `${folder}/${layout.folder}`]) {
    for (const path of [`${parent}/${name}`, `${parent}/${name}.gz`]) {
      const bytes = await readIfPresent(path);
      if (!bytes) continue;
      const records = path.endsWith(".gz") ? decompress(path, bytes, maximumFileBytes) : bytes;
      return decode(layout, path, records, limit);
    }
  }
  return undefined;
}

function decode(layout: Layout, path: string, records: Uint8Array, limit: number): ImageSet {
  const { labelClasses } = layout;
  const recordBytes = labelClasses.length + imageBytes;
  if (records.length === 0 || records.length % recordBytes !== 0) {
    const got = `${records.length} bytes; the file is damaged or truncated`;
    throw new DataError(`${path}: expected whole records of ${recordBytes} bytes, got ${got}`);
  }
  const count = Math.min(limit, records.length / recordBytes);
  const bytes = new Uint8Array(count * imageBytes);
  const labels = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const start = i * recordBytes;
    labelClasses.forEach((classes, position) => {
      const label = records[start + position]!;
      if (label >= classes) {
        throw new DataError(`${path}: record ${i} has label ${label}, expected one below ${classes}`);
      }
      labels[i] = label;
    });
    interleave(records, start + labelClasses.length, bytes, i * imageBytes);
  }
  return { bytes, labels, count };
}

/** Planes to NHWC. */
function interleave(from: Uint8Array, source: number, to: Uint8Array, target: number): void {
  for (let pixel = 0; pixel < plane; pixel++) {
    for (let c = 0; c < channels; c++) to[target++] = from[source + c * plane + pixel]!;
  }
}

function join(parts: readonly ImageSet[], count: number): ImageSet {
  const bytes = new Uint8Array(count * imageBytes);
  const labels = new Uint32Array(count);
  let start = 0;
  for (const part of parts) {
    bytes.set(part.bytes, start * imageBytes);
    labels.set(part.labels, start);
    start += part.count;
  }
  return { bytes, labels, count };
}
