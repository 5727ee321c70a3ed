import { DataError } from "../errors.ts";
import { permutation, Purpose, RandomStream } from "../random/philox.ts";
import type { Dataset } from "./dataset.ts";
import { shortList } from "./class_names.ts";
import { Draw, stratifiedDraw } from "./draw.ts";

/** The subsets belong to the data set: runs with different seeds see the same ones, as in the official code. */
const subsetSeed = 0;

/** How training images are divided. */
export interface SubsetOptions {
  /** Images held out of training for validation. */
  readonly validationCount: number;
  /** Number of images of each class whose labels may be used; null for all. */
  readonly labelsPerClass: number | null;
}

/** Indices of training images, ascending within each subset. */
export interface Subsets {
  /** Images of the likelihood: all except those held out. */
  readonly training: Uint32Array;
  /** Images whose labels may be used, a subset of `training`. */
  readonly labelled: Uint32Array;
  /** Images held out. */
  readonly validation: Uint32Array;
}

/**
 * Divides a training set at random, but always in the same way: first `validationCount` images are held out, with each
 * class keeping its share; then `labelsPerClass` images of each class keep their labels. The official code draws both
 * with numpy's random numbers, and holds images out regardless of class, so its subsets differ.
 * @throws {DataError} if there are too few images, a class has none, or a label belongs to no class.
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
  requireLabels(name, train.labels, classNames);
  const validation = stratifiedDraw(train.labels, validationCount, Draw.validation);
  const isHeldOut = new Set(validation);
  const order = permutation(new RandomStream(subsetSeed, Purpose.subset, 0), train.count);
  const training = order.filter((index) => !isHeldOut.has(index));
  const labelled = labelsPerClass === null
    ? training
    : firstOfEachClass(training, train.labels, labelsPerClass);
  requireEveryClass(name, train.labels, labelled, classNames, labelsPerClass ?? 1);
  return {
    training: training.toSorted(),
    labelled: labelled.toSorted(),
    validation: validation.toSorted(),
  };
}

/**
 * Checks that every label is a class's number.
 * @throws {DataError} naming the first image whose label is not.
 */
export function requireLabels(what: string, labels: Uint32Array, classNames: readonly string[]): void {
  const wrong = labels.findIndex((label) => label >= classNames.length);
  if (wrong < 0) return;
  throw new DataError(
    `${what}: image ${wrong} has label ${labels[wrong]}, expected one below ${classNames.length}`,
  );
}

/** A message about classes without training or test images, which no figure would show. */
export function missingClasses({ name, classNames, train, test }: Dataset): string[] {
  return Object.entries({ training: train, test }).flatMap(([kind, { labels }]) => {
    const present = new Set(labels);
    const absent = classNames.filter((_, label) => !present.has(label));
    return absent.length === 0 ? [] : [`${name}: no ${kind} images of class ${shortList(absent)}`];
  });
}

/**
 * Checks that every class has a training image.
 * @throws {DataError} naming one that has none.
 */
export function requireTrainingImages({ name, train, classNames }: Dataset): void {
  requireEveryClass(name, train.labels, train.labels.map((_, i) => i), classNames, 1);
}

/**
 * Counts images by class.
 * @throws {DataError} if a class has fewer than `least`.
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

function firstOfEachClass(indices: Uint32Array, labels: Uint32Array, perClass: number): Uint32Array {
  const taken = new Map<number, number>();
  return indices.filter((index) => {
    const count = taken.get(labels[index]!) ?? 0;
    taken.set(labels[index]!, count + 1);
    return count < perClass;
  });
}
