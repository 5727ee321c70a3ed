import { DataError } from "../errors.ts";
import { cifar100ClassNames, cifar10ClassNames } from "./class_names.ts";
import { type Dataset, type ImageSet, joinSets } from "./dataset.ts";
import { archiveSource, exists, type FileSource, folderSource } from "./files.ts";
import { maximumFileBytes } from "./remote.ts";

const side = 32;
const channels = 3;
const plane = side * side;
const imageSize = plane * channels;

/** What distinguishes the two data sets on disk. A record is the label bytes, then a red, a green and a blue plane. */
interface Layout {
  readonly name: string;
  /** The official archive of the binary version, and the folder that it unpacks to. */
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
  archive: "cifar-10-binary.tar.gz",
  folder: "cifar-10-batches-bin",
  trainingFiles: [1, 2, 3, 4, 5].map((batch) => `data_batch_${batch}.bin`),
  testFile: "test_batch.bin",
  labelClasses: [10],
  classNames: cifar10ClassNames,
};

const cifar100: Layout = {
  name: "cifar100",
  archive: "cifar-100-binary.tar.gz",
  folder: "cifar-100-binary",
  trainingFiles: ["train.bin"],
  testFile: "test.bin",
  labelClasses: [20, 100],
  classNames: cifar100ClassNames,
};

/**
 * CIFAR-10 in the official binary format: `data_batch_1.bin` to `data_batch_5.bin` and `test_batch.bin`, each possibly
 * gzipped (`.gz`), or the official archive as it was downloaded. Training batches that are absent are left out; at least
 * one is needed.
 * @param path Folder with the files or the archive, or one above it that has the files under the official name; or the
 * archive itself.
 * @param limit Keep the first so many training images only; with 0 their files are not needed.
 * @throws {DataError} naming the file, what was expected there, and what was found.
 */
export function loadCifar10(path: string, limit = Infinity): Promise<Dataset> {
  return load(cifar10, path, limit);
}

/** CIFAR-100 with its fine labels: `train.bin` and `test.bin`; otherwise like {@link loadCifar10}. */
export function loadCifar100(path: string, limit = Infinity): Promise<Dataset> {
  return load(cifar100, path, limit);
}

async function load(layout: Layout, path: string, limit: number): Promise<Dataset> {
  const source = await sourceOf(layout, path);
  const test = await readSet(layout, source, layout.testFile, Infinity);
  if (!test) {
    throw missing(layout, `no ${layout.testFile}, ${layout.testFile}.gz or ${layout.archive} in ${path}`);
  }
  const parts: ImageSet[] = [];
  let count = 0;
  for (const file of layout.trainingFiles) {
    if (count >= limit) break;
    const part = await readSet(layout, source, file, limit - count);
    if (!part) continue;
    parts.push(part);
    count += part.count;
  }
  if (count === 0 && limit > 0) throw missing(layout, `no ${layout.trainingFiles.join(", ")} in ${path}`);
  return {
    name: layout.name,
    height: side,
    width: side,
    channels,
    maximum: 255,
    classNames: layout.classNames,
    train: joinSets(parts),
    test,
    augmentation: { padding: 4, flip: true },
  };
}

function missing({ name }: Layout, what: string): DataError {
  return new DataError(
    `${name}: ${what}; "deno task data ${name}" downloads it, or give the folder of the binary version ` +
      "(--set dataFolder=PATH)",
  );
}

/** Single files are preferred to the archive, which takes longer to read. */
async function sourceOf(
  { archive, folder, trainingFiles, testFile }: Layout,
  path: string,
): Promise<FileSource> {
  const inFolder = folderSource(path, [folder], maximumFileBytes);
  const names = [...trainingFiles, testFile];
  if (path.endsWith(".gz")) return await archiveSource(path, names, maximumFileBytes);
  if (await exists(`${path}/${archive}`) && !await inFolder(testFile)) {
    return await archiveSource(`${path}/${archive}`, names, maximumFileBytes);
  }
  return inFolder;
}

/** Up to `limit` images of one file; nothing if it does not exist. */
async function readSet(
  layout: Layout,
  source: FileSource,
  name: string,
  limit: number,
): Promise<ImageSet | undefined> {
  const file = await source(name);
  return file && decode(layout, file.path, file.bytes, limit);
}

function decode(layout: Layout, path: string, records: Uint8Array, limit: number): ImageSet {
  const { labelClasses } = layout;
  const recordBytes = labelClasses.length + imageSize;
  if (records.length === 0 || records.length % recordBytes !== 0) {
    const got = `${records.length} bytes; the file is damaged or truncated`;
    throw new DataError(`${path}: expected whole records of ${recordBytes} bytes, got ${got}`);
  }
  const count = Math.min(limit, records.length / recordBytes);
  const bytes = new Uint8Array(count * imageSize);
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
    interleave(records, start + labelClasses.length, bytes, i * imageSize);
  }
  return { bytes, labels, count };
}

/** Planes to NHWC. */
function interleave(from: Uint8Array, source: number, to: Uint8Array, target: number): void {
  for (let pixel = 0; pixel < plane; pixel++) {
    for (let c = 0; c < channels; c++) to[target++] = from[source + c * plane + pixel]!;
  }
}
