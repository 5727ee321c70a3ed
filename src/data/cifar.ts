import { DataError } from "../errors.ts";
import { cifar100ClassNames, cifar10ClassNames } from "./class_names.ts";
import { type Dataset, type ImageSet, joinSets } from "./dataset.ts";
import {
  archiveSource,
  baseName,
  describeFolder,
  exists,
  type FileSource,
  folderOptions,
  folderSource,
} from "./files.ts";

const side = 32;
const channels = 3;
const plane = side * side;
const imageSize = plane * channels;

/**
 * The differences between the two data sets on disk. A record is the label bytes, then a red, a green and a blue plane.
 */
interface Layout {
  readonly name: string;
  /** The official archive of the binary version, and the folder that it unpacks to. */
  readonly archive: string;
  readonly folder: string;
  /** Names of the versions for Python and MATLAB: of the versions, their archives and their folders, in order. */
  readonly otherVersions: readonly string[];
  readonly trainingFiles: readonly string[];
  readonly testFile: string;
  /** Number of images in the largest file. */
  readonly mostImages: number;
  /** Number of classes of each label byte. The last label is the one that is used. */
  readonly labelClasses: readonly number[];
  readonly classNames: readonly string[];
}

const cifar10: Layout = {
  name: "cifar10",
  archive: "cifar-10-binary.tar.gz",
  folder: "cifar-10-batches-bin",
  otherVersions: [
    ...["data_batch_1", "batches.meta", "cifar-10-batches-py", "cifar-10-python", "cifar-10-python.tar.gz"],
    ...["data_batch_1.mat", "cifar-10-batches-mat", "cifar-10-matlab.tar.gz"],
  ],
  trainingFiles: [1, 2, 3, 4, 5].map((batch) => `data_batch_${batch}.bin`),
  testFile: "test_batch.bin",
  mostImages: 10_000,
  labelClasses: [10],
  classNames: cifar10ClassNames,
};

const cifar100: Layout = {
  name: "cifar100",
  archive: "cifar-100-binary.tar.gz",
  folder: "cifar-100-binary",
  otherVersions: [
    ...["meta", "cifar-100-python", "cifar-100-python.tar.gz"],
    ...["train.mat", "cifar-100-matlab", "cifar-100-matlab.tar.gz"],
  ],
  trainingFiles: ["train.bin"],
  testFile: "test.bin",
  mostImages: 50_000,
  labelClasses: [20, 100],
  classNames: cifar100ClassNames,
};

/**
 * CIFAR-10 in the official binary format: `data_batch_1.bin` to `data_batch_5.bin` and `test_batch.bin`, each possibly
 * gzipped, or the official archive as it was downloaded. Missing training batches are left out; at least one is needed.
 * @param path Folder with the files or the archive, or one above it that has the files under the official name; or the
 * archive itself.
 * @param testOnly Read no training images.
 * @throws {DataError} naming the file, what was expected there, and what was found.
 */
export function loadCifar10(path: string, testOnly = false): Promise<Dataset> {
  return load(cifar10, path, testOnly);
}

/** CIFAR-100 with its fine labels: `train.bin` and `test.bin`; otherwise like {@link loadCifar10}. */
export function loadCifar100(path: string, testOnly = false): Promise<Dataset> {
  return load(cifar100, path, testOnly);
}

async function load(layout: Layout, path: string, testOnly: boolean): Promise<Dataset> {
  const source = await sourceOf(layout, path);
  const test = await readSet(layout, source, layout.testFile);
  if (!test) {
    throw await missing(layout, `no ${layout.testFile}, ${layout.testFile}.gz or ${layout.archive}`, path);
  }
  const parts: ImageSet[] = [];
  for (const file of testOnly ? [] : layout.trainingFiles) {
    const part = await readSet(layout, source, file);
    if (part) parts.push(part);
  }
  if (parts.length === 0 && !testOnly) {
    throw await missing(layout, `no ${layout.trainingFiles.join(", ")}`, path);
  }
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

async function missing(layout: Layout, what: string, path: string): Promise<DataError> {
  const { name } = layout;
  const other = await otherVersion(layout, path);
  const found = other ?? `${what} in ${path}, ${await describeFolder(path)}`;
  return new DataError(
    `${name}: ${found}; "./run data ${name}" downloads it, or give the folder of the binary version ` +
      folderOptions,
  );
}

/** A message about a version that is not read, if there is one. */
async function otherVersion({ otherVersions, archive }: Layout, path: string): Promise<string | undefined> {
  const own = otherVersions.includes(baseName(path)) ? [path] : [];
  for (const found of [...own, ...otherVersions.map((name) => `${path}/${name}`)]) {
    if (!await exists(found)) continue;
    return `${found} is of the version for Python or MATLAB, and the binary version (${archive}) is needed`;
  }
  return undefined;
}

/** Single files are preferred to the archive, which takes longer to read. */
async function sourceOf(
  layout: Layout,
  path: string,
): Promise<FileSource> {
  const { archive, folder, trainingFiles, testFile } = layout;
  const maximumFileBytes = layout.mostImages * recordBytes(layout);
  const stem = archive.replace(".tar.gz", "");
  const subfolders = [folder, `${folder}/${folder}`, `${stem}/${folder}`, stem];
  const inFolder = folderSource(path, subfolders, maximumFileBytes);
  const names = [...trainingFiles, testFile];
  if (/\.(tar|tgz|tar\.gz)$/.test(path) && await exists(path)) {
    return await archiveSource(path, names, maximumFileBytes);
  }
  // Some browsers unpack what they download.
  for (const name of [archive, archive.replace(".gz", "")]) {
    if (await exists(`${path}/${name}`) && !await inFolder(testFile)) {
      return await archiveSource(`${path}/${name}`, names, maximumFileBytes);
    }
  }
  return inFolder;
}

/** The images of one file; undefined if it does not exist. */
async function readSet(layout: Layout, source: FileSource, name: string): Promise<ImageSet | undefined> {
  const file = await source(name);
  return file && decode(layout, file.path, file.bytes);
}

function decode(layout: Layout, path: string, records: Uint8Array): ImageSet {
  const { labelClasses } = layout;
  const size = recordBytes(layout);
  if (records.length === 0 || records.length % size !== 0) {
    const got = `${records.length} bytes; the file is damaged or truncated`;
    throw new DataError(`${path}: expected whole records of ${size} bytes, got ${got}`);
  }
  const count = records.length / size;
  const bytes = new Uint8Array(count * imageSize);
  const labels = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const start = i * size;
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

function recordBytes({ labelClasses }: Layout): number {
  return labelClasses.length + imageSize;
}

/** Planes to NHWC. */
function interleave(from: Uint8Array, source: number, to: Uint8Array, target: number): void {
  for (let pixel = 0; pixel < plane; pixel++) {
    for (let c = 0; c < channels; c++) to[target++] = from[source + c * plane + pixel]!;
  }
}
