import { classMeans } from "../kernels/class_means.ts";
import { informativeSample } from "../kernels/informative_sample.ts";
import { Purpose } from "../random/philox.ts";
import type { Context } from "../tensor/context.ts";
import { normal, uniform } from "../tensor/operations/random.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Where a chain without history starts. */
export interface Initialisation {
  /**
   * Fresh images, `[N, H, W, C]` in [−1, 1].
   * @param stream uint32 `[4]`: seed (low, high), step, unused
   * @param classes uint32 `[N]`: class of each; {@link skipped} leaves that image undefined
   */
  fresh(stream: Tensor, classes: Tensor): Tensor;
}

/** Marks an image that need not be made. */
export const skipped = 0xffffffff;

/** A data set as it lies on the GPU: bytes, `[n, H, W, C]`, four to a word. */
export interface ImageBytes {
  readonly bytes: Tensor;
  readonly shape: readonly [number, number, number];
  readonly count: number;
  /** Byte that stands for full intensity. */
  readonly maximum: number;
}

/** Uniform noise in [−1, 1), as in JEM. */
export class UniformInitialisation implements Initialisation {
  constructor(readonly shape: readonly [number, number, number]) {}

  fresh(stream: Tensor, classes: Tensor): Tensor {
    return uniform(stream, Purpose.uniformStart, [classes.size, ...this.shape], { low: -1, high: 1 });
  }
}

/**
 * Informative initialisation (JEM++, section 4.2): x_0 ~ N(μ_c, Σ_c + 1e-4·I), clamped to [−1, 1], with mean and (1/n)
 * covariance of the training images of class c. The covariance is never formed: with z and ε standard normal,
 * μ_c + (1/√n)·Σ_i z_i·(x_i − μ_c) + 0.01·ε has exactly that law.
 */
export class InformativeInitialisation implements Initialisation {
  /** μ, `[classes, H, W, C]`. */
  readonly means: Tensor;
  readonly #images: ImageBytes;
  readonly #members: Tensor;
  readonly #classes: number;
  readonly #maximumCount: number;

  /** @param labels class of each image of the data set; every class must occur */
  constructor(context: Context, images: ImageBytes, labels: Uint32Array, classes: number) {
    const { members, maximumCount } = groupByClass(labels, classes);
    this.#images = images;
    this.#classes = classes;
    this.#maximumCount = maximumCount;
    this.#members = context.from(members, [members.length]).disown();
    this.means = context.empty([classes, ...images.shape]).disown();
    context.launch(classMeans, this.#shape(), {
      bytes: images.bytes,
      members: this.#members,
      means: this.means,
    });
  }

  fresh(stream: Tensor, classes: Tensor): Tensor {
    using weights = normal(stream, Purpose.informativeWeights, [classes.size, this.#maximumCount]);
    using noise = normal(stream, Purpose.informativeNoise, [classes.size, ...this.#images.shape]);
    return this.sample(classes, weights, noise);
  }

  /**
   * The law's affine map, for given standard normal values.
   * @param weights z, `[N, images of the largest class]`
   * @param noise ε, `[N, H, W, C]`
   * @param clamp whether to clamp to [−1, 1]
   */
  sample(sampleClasses: Tensor, weights: Tensor, noise: Tensor, clamp = true): Tensor {
    const { context } = sampleClasses;
    const samples = context.empty(noise.shape);
    context.launch(informativeSample, { ...this.#shape(), batch: sampleClasses.size, clamp }, {
      bytes: this.#images.bytes,
      members: this.#members,
      means: this.means,
      sampleClasses,
      weights,
      noise,
      samples,
    });
    return samples;
  }

  #shape() {
    const { count, maximum, shape } = this.#images;
    const pixels = shape.reduce((product, extent) => product * extent, 1);
    return { classes: this.#classes, pixels, count, maximum, maximumCount: this.#maximumCount };
  }
}

/** For each class (start, count), then the images' indices grouped by class; starts count from the array's beginning. */
function groupByClass(
  labels: Uint32Array,
  classes: number,
): { members: Uint32Array; maximumCount: number } {
  const lists: number[][] = Array.from({ length: classes }, () => []);
  labels.forEach((label, index) => lists[label]!.push(index));
  const members = new Uint32Array(2 * classes + labels.length);
  let start = 2 * classes;
  lists.forEach((list, label) => {
    members.set([start, list.length], 2 * label);
    members.set(list, start);
    start += list.length;
  });
  return { members, maximumCount: Math.max(...lists.map((list) => list.length)) };
}
