/** Fidelity and diversity of generated images, by nearest neighbours in a space of features. */

import { shareOf } from "../distributed/batches.ts";
import { type Communicator, oneProcess } from "../distributed/communicator.ts";
import { bootstrapMeans, type BootstrapOptions, type Estimate } from "./bootstrap.ts";
import { rowsAtOnce, squaredRadii } from "./neighbours.ts";
import { squaredDistances } from "./squared_distances.ts";

/** The k of the balls, as Naeem et al. recommend. */
export const neighbours = 5;

/**
 * How generated images lie among real ones. The ball of an image is centred at it, and reaches to its k-th nearest
 * neighbour in its own set, not counting the image itself.
 *
 * As in the reference code of Naeem et al. (`prdc` 0.2), an image is in a ball if its distance to the centre is below
 * the radius, and not if it equals the radius. (The text and code of Kynkäänniemi et al. count equality. The two differ
 * only where distances tie, and where an image has k copies: its ball then has radius 0 and holds nothing here.)
 */
export interface Fidelity {
  /** Share of generated images in the ball of some real one (Kynkäänniemi et al., NeurIPS 2019). */
  readonly precision: Estimate;
  /** Share of real images in the ball of some generated one (Kynkäänniemi et al., NeurIPS 2019). */
  readonly recall: Estimate;
  /**
   * Mean number of balls of real images that a generated one is in, divided by k (Naeem et al., ICML 2020); may exceed
   * 1.
   */
  readonly density: Estimate;
  /** Share of real images whose ball holds some generated one (Naeem et al., ICML 2020). */
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
 * The balls of real images, which serve any set of generated images.
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
 * The intervals are percentiles of the bootstrap: generated images are resampled for precision and density, real ones
 * for recall and coverage, depending on which the mean is over. All balls, and the images on the other side, stay as
 * they are. If they were resampled, an image would lie among copies of itself, k of which shrink its ball to nothing,
 * and more than a third of the images would be missing: recall and coverage of all resamples would lie below the figure
 * itself. So the intervals say how exactly the figures are known given these balls, not how they vary with other ones.
 * @param generated `[m, dimension]`
 * @param communicator the ranks that divide the generated images; all of them have the features
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

/** Which images are in which balls. */
interface Hits {
  /** Number of balls of real images that each generated image is in, `[m]`. */
  readonly holding: Float64Array;
  /** Whether some generated image is in each real image's ball, 0 or 1, `[n]`. */
  readonly covered: Float64Array;
  /** Whether each real image is in some generated image's ball, 0 or 1, `[n]`. */
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
  // All sums are of integers, so the order does not matter.
  for (const sums of [holding, covered, recalled]) await communicator.sum(sums);
  const some = (sums: Float64Array) => sums.map((sum) => Math.min(1, sum));
  return { holding, covered: some(covered), recalled: some(recalled) };
}
