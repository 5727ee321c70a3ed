import { type BatchOptions, inBatches } from "../distributed/batches.ts";
import { evaluation, type WideResNet } from "../nn/wide_resnet.ts";
import type { Context } from "../tensor/context.ts";
import { elements, type Tensor } from "../tensor/tensor.ts";

/** Images processed at once. */
export const batchSize = 64;

/** Images that can be fetched part by part, such as `DeviceImages`. */
export interface ImageSource {
  readonly count: number;
  /** `count` images in [−1, 1] from `start` on, `[count, H, W, C]`; the caller owns them. */
  range(start: number, count: number): Tensor;
}

/** Images that do not belong to a data set, such as samples. */
export class FloatImages implements ImageSource {
  readonly count: number;
  readonly #all: Tensor;

  /**
   * @param images `[N, H, W, C]` in [−1, 1]
   * @param shape height, width and channels
   */
  constructor(context: Context, images: Float32Array, readonly shape: readonly [number, number, number]) {
    this.count = images.length / elements(shape);
    this.#all = context.from(images, [this.count, ...shape]).disown();
  }

  range(start: number, count: number): Tensor {
    const part = this.#all.context.empty([count, ...this.shape]);
    const size = part.size * 4;
    const { buffer, offset } = this.#all.range();
    const from = { buffer, offset: offset + start * elements(this.shape) * 4, size };
    part.context.gpu.copy(from, { ...part.range(), size });
    return part;
  }
}

/** A model's features and logits for images, with the running statistics. */
export interface Features {
  /** Pooled features of the last group, `[N, features]`. */
  readonly features: Float32Array<ArrayBuffer>;
  /** Logits, `[N, classes]`. */
  readonly logits: Float32Array<ArrayBuffer>;
  /** Number of features of an image. */
  readonly size: number;
}

/**
 * Features and logits of every image of a set, which must hold at least one.
 * @param options its progress is called with the number of images done
 */
export async function extractFeatures(
  model: WideResNet,
  images: ImageSource,
  options?: BatchOptions,
): Promise<Features> {
  const { context } = model;
  const [features, logits] = await inBatches(images.count, batchSize, async (start, count) => {
    using batch = images.range(start, count);
    using pooled = context.scope(() => model.features(batch, evaluation));
    using scores = context.scope(() => model.classifyFeatures(pooled));
    const [featureValues, logitValues] = await context.read([pooled, scores]);
    return [featureValues!, logitValues!];
  }, options);
  return { features, logits, size: features.length / images.count };
}
