import { classMeans, type ClassShape } from "../kernels/chains/class_means.ts";
import { informativeSample } from "../kernels/chains/informative_sample.ts";
import { Purpose } from "../random/philox.ts";
import type { Context } from "../tensor/context.ts";
import { blockAt, normal, uniform } from "../tensor/operations/random.ts";
import type { ImageBuffer } from "../data/image_buffer.ts";
import { elements, type Tensor } from "../tensor/tensor.ts";
import { type BufferMembers, listMembers } from "./class_members.ts";

/** Where a chain without history starts. */
export interface Initialisation {
  /**
   * Fresh images, `[N, H, W, C]` in [−1, 1].
   * @param stream uint32 `[4]`: seed (low, high), step, call
   * @param classes uint32 `[N]`: class of each; {@link skipped} leaves that image undefined
   * @param first number of images of the same stream that come before these, a multiple of 4; 0 by default. The images
   *   are the same as if all were made at once
   */
  fresh(stream: Tensor, classes: Tensor, first?: number): Tensor;
}

/** Marks an image that need not be made. */
export const skipped = 0xffffffff;

/** A data set on the GPU. */
export interface ImageBytes {
  readonly buffers: readonly ImageBuffer[];
  /** Height, width and channels. */
  readonly shape: readonly [number, number, number];
  /** The byte value of full intensity. */
  readonly maximum: number;
}

/** Uniform noise in [−1, 1), as in JEM. */
export class UniformInitialisation implements Initialisation {
  constructor(readonly shape: readonly [number, number, number]) {}

  fresh(stream: Tensor, classes: Tensor, first = 0): Tensor {
    return uniform(stream, Purpose.uniformStart, [classes.size, ...this.shape], {
      low: -1,
      high: 1,
      first: blockAt(first * elements(this.shape)),
    });
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
  readonly #lists: readonly BufferMembers[];
  readonly #classes: number;
  readonly #maximumCount: number;

  /**
   * @param labels class of each image of the data set; every class must occur
   * @param chosen indices of the images that the Gaussians are fitted to, ascending; all by default
   */
  constructor(
    context: Context,
    images: ImageBytes,
    labels: Uint32Array,
    classes: number,
    chosen?: Uint32Array,
  ) {
    const { lists, maximumCount } = listMembers(context, images.buffers, labels, classes, chosen);
    this.#images = images;
    this.#classes = classes;
    this.#maximumCount = maximumCount;
    this.#lists = lists;
    const means = this.means = context.empty([classes, ...images.shape]).disown();
    this.#forEachBuffer((shape, { buffer: { bytes }, members }) => {
      context.launch(classMeans, shape, { bytes, members, means });
    });
  }

  fresh(stream: Tensor, classes: Tensor, first = 0): Tensor {
    const standard = (purpose: number, shape: readonly number[]) =>
      normal(stream, purpose, [classes.size, ...shape], blockAt(first * elements(shape)));
    using weights = standard(Purpose.informativeWeights, [this.#maximumCount]);
    using noise = standard(Purpose.informativeNoise, this.#images.shape);
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
    const operands = { means: this.means, sampleClasses, weights, noise, samples };
    this.#forEachBuffer((shape, { buffer: { bytes }, members }) => {
      const whole = { ...shape, batch: sampleClasses.size, clamp };
      context.launch(informativeSample, whole, { ...operands, bytes, members });
    });
    return samples;
  }

  #forEachBuffer(launch: (shape: ClassShape, list: BufferMembers) => void): void {
    const { maximum, shape } = this.#images;
    const pixels = shape.reduce((product, extent) => product * extent, 1);
    const common = { classes: this.#classes, pixels, maximum, maximumCount: this.#maximumCount };
    this.#lists.forEach((list, i) => {
      const { buffer: { count }, listed } = list;
      launch({ ...common, count, listed, first: i === 0, last: i === this.#lists.length - 1 }, list);
    });
  }
}
