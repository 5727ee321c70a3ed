/** How exactly distances and scores of generated images are known, by the bootstrap. Real images stay as they are. */

import { inBatches } from "../distributed/batches.ts";
import { type Communicator, oneProcess } from "../distributed/communicator.ts";
import { type BootstrapOptions, centredInterval, resampled, resamples } from "./bootstrap.ts";
import { frechetDistance, type GaussianStatistics, gaussianStatistics } from "./frechet.ts";
import type { Interval } from "./proportion.ts";

/** Most products of features that a resample may take: those of 10,000 images with 64 features, 20 ms. */
const mostProducts = 10_000 * 64 ** 2;

/**
 * The 95 % interval of {@link frechetDistance} from real images' statistics, over resamples of the generated images.
 * @param generated features `[n, dimension]`
 * @param communicator the ranks that divide the resamples; all of them have the features
 * @returns undefined if there are too many images and features, so that resamples would take minutes
 */
export async function frechetInterval(
  real: GaussianStatistics,
  generated: Float32Array,
  options: BootstrapOptions,
  communicator: Communicator = oneProcess,
): Promise<Interval | undefined> {
  const { dimension } = real;
  if (generated.length * dimension > mostProducts) return undefined;
  const distance = async (features: Float32Array) =>
    frechetDistance(real, await gaussianStatistics(features, dimension));
  const rows = generated.length / dimension;
  const [distances] = await inBatches(resamples, 1, async (b) => {
    return [Float64Array.of(await distance(repeated(generated, dimension, resampled(rows, options, b))))];
  }, { communicator });
  const [low, high] = centredInterval(await distance(generated), distances);
  return [Math.max(0, low), high];
}

/** The rows, each as often as it occurs. */
function repeated(features: Float32Array, dimension: number, times: Uint32Array): Float32Array {
  const drawn = new Float32Array(features.length);
  let at = 0;
  times.forEach((count, row) => {
    const values = features.subarray(row * dimension, (row + 1) * dimension);
    for (let i = 0; i < count; i++, at += dimension) drawn.set(values, at);
  });
  return drawn;
}

/**
 * The 95 % interval of the Inception Score's formula, of all images in one part, over resamples of them.
 * @param probabilities p(y|x) of each image, `[n, classes]`
 */
export function scoreInterval(
  probabilities: Float64Array,
  classes: number,
  options: BootstrapOptions,
): Interval {
  const images = probabilities.length / classes;
  const logarithm = (p: number) => p > 0 ? p * Math.log(p) : 0;
  const negentropies = new Float64Array(images);
  probabilities.forEach((p, i) => negentropies[Math.floor(i / classes)]! += logarithm(p));
  const score = (times: Uint32Array) => {
    const marginal = new Float64Array(classes);
    let exponent = 0;
    for (let i = 0; i < images; i++) {
      const share = times[i]! / images;
      if (share === 0) continue;
      exponent += share * negentropies[i]!;
      for (let c = 0; c < classes; c++) marginal[c]! += share * probabilities[i * classes + c]!;
    }
    return Math.exp(marginal.reduce((sum, p) => sum - logarithm(p), exponent));
  };
  const scores = Float64Array.from({ length: resamples }, (_, b) => score(resampled(images, options, b)));
  return centredInterval(score(new Uint32Array(images).fill(1)), scores);
}
