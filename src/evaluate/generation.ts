/** Figures of merit for generated images. */

import { inBatches } from "../distributed/batches.ts";
import { type Communicator, oneProcess } from "../distributed/communicator.ts";
import { permutation, Purpose, RandomStream } from "../random/philox.ts";
import { largestOfRows } from "./probabilities.ts";

/** A figure with its spread over parts of the images. */
export interface Spread {
  readonly mean: number;
  /** Standard deviation over the parts, with their number in the denominator. */
  readonly deviation: number;
}

/** Images in each part of the Inception Score, as the official script divides them. */
const partSize = 5000;

/** Number of parts into which the official script divides images for the Inception Score: one for every 5,000. */
export function officialParts(images: number): number {
  return Math.max(1, Math.floor(images / partSize));
}

/**
 * Inception Score (Salimans et al., NeurIPS 2016): exp of the mean Kullback-Leibler divergence of p(y|x) from p(y).
 * @param probabilities p(y|x) of each image, `[n, classes]`
 * @param splits number of parts into which the images are divided, in their order
 */
export function inceptionScore(probabilities: ArrayLike<number>, classes: number, splits: number): Spread {
  const images = probabilities.length / classes;
  const scores = Array.from({ length: splits }, (_, part) => {
    const first = Math.floor(part * images / splits);
    const end = Math.floor((part + 1) * images / splits);
    const marginal = new Float64Array(classes);
    for (let i = first * classes; i < end * classes; i++) {
      marginal[i % classes]! += probabilities[i]! / (end - first);
    }
    let divergence = 0;
    for (let i = first * classes; i < end * classes; i++) {
      const p = probabilities[i]!;
      if (p > 0) divergence += p * Math.log(p / marginal[i % classes]!) / (end - first);
    }
    return Math.exp(divergence);
  });
  return spread(scores);
}

/** How kernel distances are estimated. */
export interface KernelDistanceOptions {
  readonly subsets: number;
  /** Images of each set in a subset. */
  readonly subsetSize: number;
  readonly seed: number;
}

/**
 * Kernel distance (KID with Inception features; Bińkowski et al., ICLR 2018): the unbiased squared maximum mean
 * discrepancy with the kernel (x·y/dimension + 1)³, averaged over random subsets.
 * @param first features `[n, dimension]`
 * @param communicator the ranks that divide the subsets; all of them have the features
 */
export async function kernelDistance(
  first: Float32Array,
  second: Float32Array,
  dimension: number,
  { subsets, subsetSize, seed }: KernelDistanceOptions,
  communicator: Communicator = oneProcess,
): Promise<Spread> {
  const counts = [first, second].map((features) => features.length / dimension);
  const size = Math.min(subsetSize, ...counts);
  const estimate = (subset: number) => {
    const [x, y] = [first, second].map((features, set) => {
      const order = permutation(new RandomStream(seed, Purpose.subset, 2 * subset + set + 1), counts[set]!);
      return Array.from(
        order.subarray(0, size),
        (i) => features.subarray(i * dimension, (i + 1) * dimension),
      );
    });
    return squaredDiscrepancy(x!, y!);
  };
  const [estimates] = await inBatches(
    subsets,
    1,
    (subset) => Promise.resolve([Float64Array.of(estimate(subset))]),
    { communicator },
  );
  return spread([...estimates]);
}

function squaredDiscrepancy(x: readonly Float32Array[], y: readonly Float32Array[]): number {
  const n = x.length;
  let [within, across] = [0, 0];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      if (i !== j) within += kernel(x[i]!, x[j]!) + kernel(y[i]!, y[j]!);
      across += kernel(x[i]!, y[j]!);
    }
  }
  return within / (n * (n - 1)) - 2 * across / n ** 2;
}

function kernel(a: Float32Array, b: Float32Array): number {
  let product = 0;
  for (let i = 0; i < a.length; i++) product += a[i]! * b[i]!;
  return (product / a.length + 1) ** 3;
}

function spread(values: readonly number[]): Spread {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(variance) };
}

/**
 * The images that the model is surest of: of each class that it assigns, the share with the highest scores, as the
 * official evaluation of the replay buffer chooses them (0.1 for the Inception Score, 0.9 for FID).
 * @param logits `[n, classes]`
 * @param scores score of each image, for example p(y|x) or log p̃(x)
 * @returns indices by class, the best first
 */
export function bestOfClasses(
  logits: Float32Array,
  scores: ArrayLike<number>,
  classes: number,
  share: number,
): number[][] {
  const members: number[][] = Array.from({ length: classes }, () => []);
  largestOfRows(logits, classes).positions.forEach((label, i) => members[label]!.push(i));
  return members.map((list) => {
    list.sort((a, b) => scores[b]! - scores[a]! || a - b);
    return list.slice(0, Math.floor(list.length * share));
  });
}
