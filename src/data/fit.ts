/** Whether a data set's images and classes are those of a model. */

import { DataError } from "../errors.ts";
import { cleanName, shortList } from "./class_names.ts";
import type { Dataset, ImageSet } from "./dataset.ts";
import { requireLabels } from "./subsets.ts";

/** The images and classes that a model was made for. */
export interface ImageDescription {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** The classes in the order of the logits. */
  readonly classNames: readonly string[];
  /** Whether nobody named the classes, so that their names are only numbers. */
  readonly unnamed?: boolean | undefined;
}

/**
 * A data set as a model sees it. Classes are matched by their names, and labels are renumbered where both have the same
 * classes in different orders. A model whose classes are not named takes those of the data set, in its order.
 * @throws {DataError} if the images have another size, or the classes another number or other names.
 */
export function fitDataset(dataset: Dataset, model: ImageDescription): Dataset {
  const { name, classNames, train, test } = dataset;
  requireImageSize(name, dataset, model);
  for (const { labels } of [train, test]) requireLabels(name, labels, classNames);
  const theirs = model.classNames;
  if (classNames.length !== theirs.length) {
    throw new DataError(
      `${name}: the data has ${classNames.length} classes (${shortList(classNames)}), the model ` +
        `${theirs.length}${model.unnamed ? "" : ` (${shortList(theirs)})`}`,
    );
  }
  const order = matchClasses(classNames, model);
  if (!order) {
    throw new DataError(
      `${name}: the data's classes (${shortList(classNames)}) are not the model's (${shortList(theirs)})`,
    );
  }
  if (order.every((number, label) => number === label)) return dataset;
  const renumbered = (set: ImageSet) => ({ ...set, labels: set.labels.map((label) => order[label]!) });
  return { ...dataset, classNames: theirs, train: renumbered(train), test: renumbered(test) };
}

/**
 * The model's number of each class of some data, by the classes' names. A model whose classes are not named has as many of
 * the data, in their order.
 * @returns undefined if the model's classes are not those of the data
 */
export function matchClasses(
  classNames: readonly string[],
  { classNames: theirs, unnamed }: Pick<ImageDescription, "classNames" | "unnamed">,
): number[] | undefined {
  if (classNames.length !== theirs.length) return undefined;
  const cleaned = classNames.map(cleanName);
  const labels = cleaned.map((_, label) => label);
  if (unnamed || cleaned.every((name, label) => name === theirs[label])) return labels;
  const numbers = new Map(theirs.map((name, label) => [name, label]));
  const order = cleaned.map((name) => numbers.get(name)).filter((number) => number !== undefined);
  return new Set(order).size === theirs.length ? order : undefined;
}

/**
 * Checks that images have the size and the channels that a model takes.
 * @param what names the owner of the images, for the message
 * @throws {DataError} naming both formats.
 */
export function requireImageSize(
  what: string,
  images: Pick<ImageDescription, "height" | "width" | "channels">,
  model: Pick<ImageDescription, "height" | "width" | "channels">,
): void {
  const [found, wanted] = [images, model].map(({ height, width, channels }) =>
    `${height}×${width}×${channels}`
  );
  if (found !== wanted) throw new DataError(`${what}: images of ${found}, the model takes ${wanted}`);
}
