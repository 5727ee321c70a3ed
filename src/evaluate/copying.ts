/** Whether generated images are copies of training images. */

import {
  type BootstrapOptions,
  type Estimate,
  percentileInterval,
  resampled,
  resamples,
} from "./bootstrap.ts";

/**
 * How likely a generated image is closer to its nearest training image than a held-out real image is to its own. Equal
 * distances count half. This is Δ_T of Meehan, Chaudhuri and Dasgupta (A non-parametric test to detect data-copying in
 * generative models, AISTATS 2020, section 2), without their division of the space into cells: the Mann-Whitney U of
 * the distances divided by the number of pairs. New images from the distribution of the real ones have 0.5. More means
 * copying, up to 1. Less only says that samples are further from all real images than these are from each other.
 *
 * The interval holds percentiles of the bootstrap. Generated and held-out images are resampled; training images, to
 * which the distances go, are not.
 * @param generated distance of each generated image to its nearest training image
 * @param heldOut the same distance for real images that are not in the training set
 */
export function copying(
  generated: Float64Array,
  heldOut: Float64Array,
  { seed, stream }: BootstrapOptions,
): Estimate {
  const order = pooled(generated, heldOut);
  const once = (count: number) => new Uint32Array(count).fill(1);
  const statistics = Float64Array.from({ length: resamples }, (_, b) =>
    shareNearer(
      order,
      resampled(generated.length, { seed, stream }, b),
      resampled(heldOut.length, { seed, stream: stream + 1 }, b),
    ));
  return {
    value: shareNearer(order, once(generated.length), once(heldOut.length)),
    interval: percentileInterval(statistics),
  };
}

/** Distances of both kinds. */
interface Pooled {
  /** Indices in the pool, the nearest first. The generated images come first in it. */
  readonly order: Uint32Array;
  readonly distances: Float64Array;
}

function pooled(generated: Float64Array, heldOut: Float64Array): Pooled {
  const distances = new Float64Array(generated.length + heldOut.length);
  distances.set(generated);
  distances.set(heldOut, generated.length);
  const order = Uint32Array.from(distances.keys()).sort((a, b) => distances[a]! - distances[b]!);
  return { order, distances };
}

/** The share of pairs in which the generated image is the closer one, when images occur several times each. */
function shareNearer({ order, distances }: Pooled, generated: Uint32Array, heldOut: Uint32Array): number {
  let [nearer, before] = [0, 0];
  for (let start = 0, end = 0; start < order.length; start = end) {
    let [ofGenerated, ofHeldOut] = [0, 0];
    const distance = distances[order[start]!]!;
    do {
      const place = order[end++]!;
      if (place < generated.length) ofGenerated += generated[place]!;
      else ofHeldOut += heldOut[place - generated.length]!;
    } while (end < order.length && distances[order[end]!] === distance);
    nearer += ofHeldOut * (before + ofGenerated / 2);
    before += ofGenerated;
  }
  return nearer / (generated.length * heldOut.length);
}

/** The middle of values, or the mean of the two in the middle. */
export function median(values: Float64Array): number {
  const sorted = values.toSorted();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
