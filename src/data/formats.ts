import { cifar100ClassNames, cifar10ClassNames, digitNames, fashionClassNames } from "./class_names.ts";
import type { DatasetName } from "./dataset.ts";
import type { ImageDescription } from "./fit.ts";

/** The images and classes that a data set always has. */
export interface DatasetFormat {
  /** Height and width. */
  readonly side: number;
  readonly channels: number;
  readonly classNames: readonly string[];
}

/** Formats of all data sets except folders of pictures, which have any. */
export const datasetFormats: ReadonlyMap<DatasetName, DatasetFormat> = new Map([
  ["digits", { side: 8, channels: 1, classNames: digitNames }],
  ["mnist", { side: 28, channels: 1, classNames: digitNames }],
  ["fashion-mnist", { side: 28, channels: 1, classNames: fashionClassNames }],
  ["cifar10", { side: 32, channels: 3, classNames: cifar10ClassNames }],
  ["cifar100", { side: 32, channels: 3, classNames: cifar100ClassNames }],
  ["svhn", { side: 32, channels: 3, classNames: digitNames }],
]);

/** Data sets with the given images and number of classes, the likeliest first. */
export function datasetsOf(channels: number, classes: number, side: number): DatasetName[] {
  return [...datasetFormats]
    .filter(([, format]) => {
      return format.side === side && format.channels === channels && format.classNames.length === classes;
    })
    .map(([name]) => name);
}

/** The classes of a data set's model, if they are known; numbers where nobody has named them. */
export function classesOf(
  dataset: DatasetName | undefined,
  classes: number,
): Pick<ImageDescription, "classNames" | "unnamed"> {
  const names = dataset && datasetFormats.get(dataset)?.classNames;
  if (names?.length === classes) return { classNames: names };
  return { classNames: Array.from({ length: classes }, (_, label) => `${label}`), unnamed: true };
}
