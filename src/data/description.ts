import { crc32Text } from "../formats/archives/crc32.ts";
import type { Dataset } from "./dataset.ts";

/** What a model was trained or evaluated on, by which runs can be continued and results compared. */
export interface DataDescription {
  readonly name: string;
  readonly classes: number;
  readonly trainingImages: number;
  readonly testImages: number;
  /** CRC-32 of the images' bytes in their order, in hexadecimal. */
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
