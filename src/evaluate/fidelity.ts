/** Fidelity and diversity of generated images, by nearest neighbours in a space of features. */

import { shareOf } from "../distributed/batches.ts";
import { type Communicator, oneProcess } from "../distributed/communicator.ts";
import { bootstrapMeans, type BootstrapOptions, type Estimate } from "./bootstrap.ts";
import { rowsAtOnce, squaredRadii } from "./neighbours.ts";
import { squaredDistances } from "./squared_distances.ts";

/** Neighbours that a ball reaches to, as Naeem et al. recommend. */
export const neighbours = 5;

/**
 * How generated images lie among real ones. The ball of an image is around it, and reaches to its k-th nearest neighbour
 * of its own set, the image itself not counted.
 *
 * As in the reference code of Naeem et al. (`prdc` 0.2), an image is in a ball if it is nearer to the centre than the
 * radius, and not if it is just as near. (The text and code of Kynkäänniemi et al. count equality. The two differ only
 * where distances tie, and where an image has k copies: its ball has the radius 0 and holds nothing here.)
 */
export interface Fidelity {
  /** Share of generated images that are in the ball of some real one (Kynkäänniemi et al., NeurIPS 2019). */
  readonly precision: Estimate;
  /** Share of real images that are in the ball of some generated one (Kynkäänniemi et al., NeurIPS 2019). */
  readonly recall: Estimate;
  /** Balls of real images that a generated one is in, on average, divided by k (Naeem et al., ICML 2020); may exceed 1. */
  readonly density: Estimate;
  /** Share of real images whose ball has some generated one in it (Naeem et al., ICML 2020). */
  readonly coverage: Estimate;
}

/** Real images with their balls. */
export interface RealBalls {
  /** `[n, dimension]` */
  readonly features: Float32Array;
  readonly dimension: number;
  /** Squared, `[n]`. */
  readonly radii: Float64Array;
  readonly k: number;
}

/**
 * The balls of real images, which serve any set of generated ones.
 * @param features `[n, dimension]`
 * @throws {RangeError} unless 1 ≤ k < n.
 */
export async function realBalls(
  features: Float32Array,
  dimension: number,
  k: number = neighbours,
  communicator: Communicator = oneProcess,
): Promise<RealBalls> {
  return { features, dimension, k, radii: await squaredRadii(features, dimension, k, communicator) };
}

/**
 * Precision, recall, density and coverage of generated images, with 95 % intervals.
 *
 * The intervals are percentiles of the bootstrap: generated images are resampled for precision and density, real ones for
 * recall and coverage, whichever the mean is over. All balls, and the images that the others are compared with, stay as
 * they are. In a resample of them an image lies among copies of itself, k of which shrink its ball to nothing, and more
 * than a third of the images are missing: recall and coverage of resamples would all lie below what they are to
 * surround. So the intervals say how far the numbers are known given these balls, not how they vary with other ones.
 * @param generated `[m, dimension]`
 * @param communicator whose ranks, which all have the features, divide the generated images
 * @throws {RangeError} unless k < m.
 */
export async function fidelity(
  real: RealBalls,
  generated: Float32Array,
  { seed, stream }: BootstrapOptions,
  communicator: Communicator = oneProcess,
): Promise<Fidelity> {
  const { holding, covered, recalled } = await hits(real, generated, communicator);
  const over = (values: Float64Array, isProportion = true) => ({ values, isProportion });
  const ofGenerated = {
    precision: over(holding.map((balls) => Math.min(1, balls))),
    density: over(holding.map((balls) => balls / real.k), false),
  };
  const ofReal = { recall: over(recalled), coverage: over(covered) };
  const { precision, density } = bootstrapMeans(ofGenerated, { seed, stream });
  const { recall, coverage } = bootstrapMeans(ofReal, { seed, stream: stream + 1 });
  return { precision, recall, density, coverage };
}

/** What is in what ball. */
interface Hits {
  /** Balls of real images that each generated one is in, `[m]`. */
  readonly holding: Float64Array;
  /** Whether some generated image is in each real one's ball, 0 or 1, `[n]`. */
  readonly covered: Float64Array;
  /** Whether each real image is in some generated one's ball, 0 or 1, `[n]`. */
  readonly recalled: Float64Array;
}

async function hits(real: RealBalls, generated: Float32Array, communicator: Communicator): Promise<Hits> {
  const { features, dimension, radii, k } = real;
  const count = generated.length / dimension;
  const reach = await squaredRadii(generated, dimension, k, communicator);
  const holding = new Float64Array(count);
  const [covered, recalled] = [new Float64Array(radii.length), new Float64Array(radii.length)];
  const { first, end } = shareOf(communicator, count, rowsAtOnce);
  for (let start = first; start < end; start += rowsAtOnce) {
    const size = Math.min(rowsAtOnce, end - start);
    const distances = squaredDistances(generated, features, dimension, start, size);
    for (let i = 0, at = 0; i < size; i++) {
      for (let j = 0; j < radii.length; j++, at++) {
        const distance = distances[at]!;
        if (distance < radii[j]!) {
          holding[start + i]!++;
          covered[j] = 1;
        }
        if (distance < reach[start + i]!) recalled[j] = 1;
      }
    }
  }
  // Each sum is of whole numbers, and so the same in any order.
  for (const sums of [holding, covered, recalled]) await communicator.sum(sums);
  const some = (sums: Float64Array) => sums.map((sum) => Math.min(1, sum));
  return { holding, covered: some(covered), recalled: some(recalled) };
}
