import { DataError } from "../errors.ts";
import { permutation, Purpose, RandomStream } from "../random/philox.ts";
import { digitNames } from "./class_names.ts";
import type { Dataset, ImageSet } from "./dataset.ts";
import { unpack } from "./unpack.ts";

const side = 8;
const pixels = side * side;
const maximum = 16;
const classes = 10;
const images = 1797;
const trainingImages = 1437;
/** The split belongs to the data set, not to a run, so it must never follow a run's seed. */
const splitSeed = 0;
/** Bytes of the unpacked text: well above the file's 264 kB. */
export const mostDigitsBytes: number = 4 * 2 ** 20;

/**
 * The handwritten digits of Alpaydin and Kaynak: 1,797 grey images of 8×8 pixels with values 0 to 16, split at random,
 * but always in the same way, into 1,437 for training and 360 for testing.
 * @param bytes Gzipped text, on each line 64 pixels and the class, separated by commas.
 * @throws {DataError} naming the wrong line.
 */
export async function loadDigits(bytes: Uint8Array<ArrayBuffer>): Promise<Dataset> {
  const text = new TextDecoder().decode(await unpack("digits", bytes, mostDigitsBytes));
  const rows = text.trimEnd().split("\n").map(parseLine);
  if (rows.length !== images) throw new DataError(`digits: ${rows.length} lines, expected ${images}`);
  const order = permutation(new RandomStream(splitSeed, Purpose.split, 0), images);
  const select = (chosen: Uint32Array) => imageSet(Array.from(chosen, (row) => rows[row]!));
  return {
    name: "digits",
    height: side,
    width: side,
    channels: 1,
    maximum,
    classNames: digitNames,
    train: select(order.subarray(0, trainingImages)),
    test: select(order.subarray(trainingImages)),
    augmentation: { padding: 1, flip: false },
  };
}

/** The 64 pixels and the class on a line. */
function parseLine(line: string, index: number): Uint8Array {
  const fields = line.trimEnd().split(",");
  const refuse = (what: string) => new DataError(`digits: line ${index + 1}: ${what}`);
  if (fields.length !== pixels + 1) {
    throw refuse(`${fields.length} values, expected ${pixels} pixels and a class`);
  }
  return Uint8Array.from(fields, (field, column) => {
    const highest = column < pixels ? maximum : classes - 1;
    if (!/^\d{1,2}$/.test(field) || Number(field) > highest) {
      const shown = JSON.stringify(field.slice(0, 20));
      throw refuse(`value ${column + 1} is ${shown}, expected a whole number from 0 to ${highest}`);
    }
    return Number(field);
  });
}

function imageSet(rows: readonly Uint8Array[]): ImageSet {
  const bytes = new Uint8Array(rows.length * pixels);
  rows.forEach((row, i) => bytes.set(row.subarray(0, pixels), i * pixels));
  return { bytes, labels: Uint32Array.from(rows, (row) => row[pixels]!), count: rows.length };
}
