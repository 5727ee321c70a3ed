import { type BatchOptions, inBatches } from "../distributed/batches.ts";
import type { Context } from "../tensor/context.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { ImageSource } from "./features.ts";
import { softmaxRows } from "./probabilities.ts";

/** Images at once. An intermediate result takes 5.5 MB for each. */
const batchSize = 16;

/** The network, or a substitute for it. */
export interface InceptionNetwork {
  /** @param images `[N, H, W, 3]` in [0, 1] */
  features(
    images: Tensor,
  ): { readonly pool3: Tensor; readonly logits: Tensor; readonly unbiasedLogits: Tensor };
}

/** What FID, KID and Inception Score compare. */
export interface InceptionFeatures {
  /** `[N, dimension]`, 2048 for Inception-v3. */
  readonly pool3: Float32Array<ArrayBuffer>;
  readonly dimension: number;
  /** p(y|x) for the Inception Score, without the last layer's bias, `[N, classes]`. */
  readonly probabilities: Float64Array;
  readonly classes: number;
}

/**
 * How values in [−1, 1] become those of files, in [0, 1]: rounded to 8 bits, or unrounded, with the 10⁻⁵ that the
 * official script adds to the divisor.
 */
export type PixelScale = "8-bit" | "unrounded";

/**
 * Features of images in [−1, 1], at least one. Grey images are repeated in three channels.
 * @param options its progress is called with the number of images done
 */
export async function inceptionFeatures(
  context: Context,
  network: InceptionNetwork,
  images: ImageSource,
  scale: PixelScale,
  options?: BatchOptions,
): Promise<InceptionFeatures> {
  const { count } = images;
  const [pool3, logits] = await inBatches(count, batchSize, async (start, size) => {
    using batch = images.range(start, size);
    const [, height = 0, width = 0, channels = 0] = batch.shape;
    using pixels = context.from(toColours(await batch.read(), channels, scale), [size, height, width, 3]);
    const { pool3, logits, unbiasedLogits } = network.features(pixels);
    const [poolValues, logitValues] = await context.read([pool3, unbiasedLogits]);
    for (const tensor of [pool3, logits, unbiasedLogits]) tensor.dispose();
    return [poolValues!, logitValues!];
  }, options);
  const classes = logits.length / count;
  return { pool3, dimension: pool3.length / count, probabilities: softmaxRows(logits, classes), classes };
}

/** Three channels in [0, 1]. */
function toColours(values: Float32Array, channels: number, scale: PixelScale): Float32Array {
  const colours = Float32Array.from({ length: values.length / channels * 3 }, (_, i) => {
    return values[channels === 3 ? i : Math.floor(i / 3) * channels]!;
  });
  const shifted = colours.map((value) => Math.min(1, Math.max(-1, value)) + 1);
  if (scale === "unrounded") return shifted.map((value) => value / (2 + 1e-5));
  return shifted.map((value) => Math.round(value * 127.5) / 255);
}
