import { crc32Text } from "../formats/archives/crc32.ts";
import type { Dataset } from "./dataset.ts";

/** The data that a model was trained or evaluated on. It decides whether runs can be continued and results compared. */
export interface DataDescription {
  readonly name: string;
  readonly classes: number;
  readonly trainingImages: number;
  readonly testImages: number;
  /** CRC-32 of the images' bytes in order, in hexadecimal. */
  readonly trainingChecksum: string;
  readonly testChecksum: string;
}

/** Describes a data set. */
export function describeData({ name, classNames, train, test }: Dataset): DataDescription {
  return {
    name,
    classes: classNames.length,
    trainingImages: train.count,
    testImages: test.count,
    trainingChecksum: crc32Text(train.bytes),
    testChecksum: crc32Text(test.bytes),
  };
}
