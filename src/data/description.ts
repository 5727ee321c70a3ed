import { crc32 } from "../formats/archives/crc32.ts";
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
    trainingChecksum: checksum(train.bytes),
    testChecksum: checksum(test.bytes),
  };
}

function checksum(bytes: Uint8Array): string {
  return crc32(bytes).toString(16).padStart(8, "0");
}
