import { DataError } from "../errors.ts";
import { permutation, Purpose, RandomStream } from "../random/philox.ts";
import { type Dataset, imageBytes, type ImageSet } from "./dataset.ts";

/** The subsets are a property of the data set: runs with different seeds see the same ones, as in the official code. */
const subsetSeed = 0;

/** How training images are divided. */
export interface SubsetOptions {
  /** Images held out of training for validation. */
  readonly validationCount: number;
  /** Images of each class whose label may be used; null for all. */
  readonly labelsPerClass: number | null;
}

/** Indices of training images, ascending within each subset. */
export interface Subsets {
  /** Images of the likelihood: all but those held out. */
  readonly training: Uint32Array;
  /** Images whose labels may be used, a part of the ones before. */
  readonly labelled: Uint32Array;
  /** Images held out. */
  readonly validation: Uint32Array;
}

/**
 * Divides a training set at random, the same way every time: first `validationCount` images are held out, then
 * `labelsPerClass` of each class keep their labels. The official code does the same with numpy's random numbers, so the
 * subsets themselves are others.
 * @throws {DataError} if there are too few images.
 */
export function divide(
  { train, classNames, name }: Dataset,
  { validationCount, labelsPerClass }: SubsetOptions,
): Subsets {
  if (validationCount >= train.count) {
    throw new DataError(
      `${name}: validationCount ${validationCount} leaves none of ${train.count} training images`,
    );
  }
  const order = permutation(new RandomStream(subsetSeed, Purpose.subset, 0), train.count);
  const training = order.subarray(validationCount);
  const labelled = labelsPerClass === null
    ? training
    : firstOfEachClass(training, train.labels, labelsPerClass);
  requireEveryClass(name, train.labels, labelled, classNames, labelsPerClass ?? 0);
  return {
    training: training.toSorted(),
    labelled: labelled.toSorted(),
    validation: order.subarray(0, validationCount).toSorted(),
  };
}

/**
 * Counts images by class.
 * @throws {DataError} if there are fewer than `least` of a class.
 */
export function requireEveryClass(
  what: string,
  labels: Uint32Array,
  indices: Uint32Array,
  classNames: readonly string[],
  least: number,
): void {
  const counts = new Uint32Array(classNames.length);
  for (const index of indices) counts[labels[index]!]!++;
  const lacking = counts.findIndex((count) => count < least);
  if (lacking < 0) return;
  throw new DataError(
    `${what}: ${counts[lacking]} training images of class ${
      classNames[lacking]
    }, where at least ${least} are needed`,
  );
}

/** The images of these indices, copied. */
export function selectImages(dataset: Dataset, set: ImageSet, indices: Uint32Array): ImageSet {
  const size = imageBytes(dataset);
  const bytes = new Uint8Array(indices.length * size);
  indices.forEach((index, i) => bytes.set(set.bytes.subarray(index * size, (index + 1) * size), i * size));
  return { bytes, labels: indices.map((index) => set.labels[index]!), count: indices.length };
}

function firstOfEachClass(indices: Uint32Array, labels: Uint32Array, perClass: number): Uint32Array {
  const taken = new Map<number, number>();
  return indices.filter((index) => {
    const count = taken.get(labels[index]!) ?? 0;
    taken.set(labels[index]!, count + 1);
    return count < perClass;
  });
}
