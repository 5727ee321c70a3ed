/** Exact nearest neighbours among features, without all distances in memory. */

import { inBatches } from "../distributed/batches.ts";
import { type Communicator, oneProcess } from "../distributed/communicator.ts";
import { squaredDistances } from "./squared_distances.ts";

/** Rows whose distances to all others are in memory at once: 26 MB for 50,000 others. */
export const rowsAtOnce = 64;

/**
 * The squared distance of each row to its k-th nearest other row. A row is not its own neighbour, but an equal row is
 * one, at distance 0. If fewer than k distances are finite, the result is 0, so that no ball is boundless.
 * @param features `[n, dimension]`
 * @param communicator the ranks that divide the rows; all of them have the features
 * @returns `[n]`
 * @throws {RangeError} unless 1 ≤ k < n.
 */
export async function squaredRadii(
  features: Float32Array,
  dimension: number,
  k: number,
  communicator: Communicator = oneProcess,
): Promise<Float64Array<ArrayBuffer>> {
  const rows = features.length / dimension;
  if (!(Number.isInteger(k) && k >= 1 && k < rows)) {
    throw new RangeError(`${rows} images do not have ${k} nearest neighbours each`);
  }
  const [radii] = await inBatches(rows, rowsAtOnce, (start, size) => {
    const distances = squaredDistances(features, features, dimension, start, size);
    const radii = Float64Array.from({ length: size }, (_, i) => {
      const row = distances.subarray(i * rows, (i + 1) * rows);
      row[start + i] = Infinity;
      const radius = smallest(row, k);
      return radius < Infinity ? radius : 0;
    });
    return Promise.resolve([radii]);
  }, { communicator });
  return radii;
}

/** The k-th smallest value; Infinity if fewer values are finite. */
function smallest(values: Float64Array, k: number): number {
  const least = new Float64Array(k).fill(Infinity);
  for (const value of values) {
    if (!(value < least[k - 1]!)) continue;
    let place = k - 1;
    for (; place > 0 && least[place - 1]! > value; place--) least[place] = least[place - 1]!;
    least[place] = value;
  }
  return least[k - 1]!;
}

/** The nearest of other rows to each row. */
export interface Nearest {
  /** The index of the nearest one, the first among equals, `[n]`. */
  readonly indices: Float64Array<ArrayBuffer>;
  /** Euclidean distance, `[n]`; Infinity if no distance is a number. */
  readonly distances: Float64Array<ArrayBuffer>;
}

/**
 * Finds the nearest of other rows for each row.
 * @param features `[n, dimension]`, n ≥ 1
 * @param others `[m, dimension]`, m ≥ 1
 * @param communicator the ranks that divide the rows; all of them have the features
 */
export async function nearestRows(
  features: Float32Array,
  others: Float32Array,
  dimension: number,
  communicator: Communicator = oneProcess,
): Promise<Nearest> {
  const columns = others.length / dimension;
  const [indices, distances] = await inBatches(features.length / dimension, rowsAtOnce, (start, size) => {
    const block = squaredDistances(features, others, dimension, start, size);
    const [indices, distances] = [new Float64Array(size), new Float64Array(size).fill(Infinity)];
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < columns; j++) {
        const distance = block[i * columns + j]!;
        if (!(distance < distances[i]!)) continue;
        distances[i] = distance;
        indices[i] = j;
      }
    }
    return Promise.resolve([indices, distances.map(Math.sqrt)]);
  }, { communicator });
  return { indices, distances };
}
