/**
 * The gradients that libraries compute: of a Wide ResNet with the same parameters on the same images, with respect to
 * its parameters (a step of training) or to the images (a step of SGLD).
 */

import { type Architecture, groupCount, stemChannels } from "../../src/nn/wide_resnet.ts";
import { Purpose, RandomStream } from "../../src/random/philox.ts";
import type { Times } from "../lib/timing.ts";

/** A gradient of WRN-depth-width at 3×32×32. */
export interface GradientCase {
  readonly depth: number;
  readonly width: number;
  readonly batch: number;
  /** The mean cross-entropy with respect to all parameters, or Σ log p̃ with respect to the images. */
  readonly subject: "parameters" | "images";
}

/** The result of a gradient on one library. */
export interface GradientResult extends Times {
  /** The mean cross-entropy, or Σ log p̃. */
  readonly loss: number;
  /** ‖gradient‖ by parameter, official names; or by `images`. */
  readonly norms: Readonly<Record<string, number>>;
}

/** The network, with batch norm. */
export function architectureOf({ depth, width }: Pick<GradientCase, "depth" | "width">): Architecture {
  return {
    ...{ depth, width, classes: 10, channels: 3, imageSize: 32, norm: "batch", dropout: 0 },
    unconditional: false,
  };
}

/** Seed of the parameters and of the images. */
export const seed = 1;

/** Random images `[N, 32, 32, 3]` in [−1, 1], and labels. */
export function inputsOf(
  { batch }: GradientCase,
): { images: Float32Array<ArrayBuffer>; labels: Uint32Array } {
  const stream = new RandomStream(seed, Purpose.sampling, 0);
  return {
    images: Float32Array.from({ length: batch * 3072 }, (_, i) => 2 * stream.uniform(i) - 1),
    labels: Uint32Array.from({ length: batch }, (_, i) => i % 10),
  };
}

/** ‖values‖₂ */
export function norm(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0));
}

/**
 * Floating-point operations of the convolutions and the linear layer for one image: of a forward pass, and of the
 * gradients with respect to the images and to the parameters with the forward pass that they need. Each gradient of a
 * layer takes as many operations as the layer. With respect to the parameters, the first layer's images need none.
 */
export function operationsPerImage(
  { depth, width, classes, channels, imageSize }: Architecture,
): Record<"forward" | GradientCase["subject"], number> {
  const stem = 2 * 9 * channels * stemChannels * imageSize ** 2;
  let forward = stem;
  let [from, size] = [stemChannels, imageSize];
  for (let group = 0; group < groupCount(imageSize); group++) {
    const to = stemChannels * width * 2 ** group;
    for (let block = 0; block < (depth - 4) / 6; block++) {
      const inside = size;
      if (group > 0 && block === 0) size /= 2;
      // The first convolution of a block is not strided, the second is.
      forward += 2 * 9 * to * (from * inside ** 2 + to * size ** 2);
      if (from !== to || size !== inside) forward += 2 * from * to * size ** 2;
      from = to;
    }
  }
  forward += 2 * from * classes;
  return { forward, images: 2 * forward, parameters: 3 * forward - stem };
}

/**
 * Largest difference between two libraries' norms of a parameter's gradient, relative to the largest norm, or between
 * their losses, relative to the loss.
 */
export function gradientDifference(one: GradientResult, other: GradientResult): number {
  const norms = Object.entries(one.norms).map(([name, norm]) => Math.abs(norm - other.norms[name]!));
  const loss = Math.abs(one.loss - other.loss) / Math.abs(other.loss);
  return Math.max(loss, Math.max(...norms) / Math.max(...Object.values(other.norms)));
}
