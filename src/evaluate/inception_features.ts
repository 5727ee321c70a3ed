import type { Context } from "../tensor/context.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { ImageSource } from "./features.ts";
import { softmaxRows } from "./probabilities.ts";

/** Images at once: an intermediate takes 5.5 MB for each. */
const batchSize = 16;

/** The network, or what stands in for it. */
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
  /** p(y|x) as the Inception Score takes it, without the last layer's bias, `[N, classes]`. */
  readonly probabilities: Float64Array;
  readonly classes: number;
}

/**
 * How values in [−1, 1] become those of files, in [0, 1]: rounded to 8 bits, or left as they are but for the 10⁻⁵ that the
 * official script adds to the divisor.
 */
export type PixelScale = "8-bit" | "unrounded";

/**
 * Features of images in [−1, 1]; grey ones are repeated in three channels.
 * @param progress called with the number of images done
 */
export async function inceptionFeatures(
  context: Context,
  network: InceptionNetwork,
  images: ImageSource,
  scale: PixelScale,
  progress?: (done: number) => void,
): Promise<InceptionFeatures> {
  const { count } = images;
  const pools: Float32Array[] = [];
  const all: Float32Array[] = [];
  let [dimension, classes] = [0, 0];
  for (let start = 0; start < count; start += batchSize) {
    const size = Math.min(batchSize, count - start);
    using batch = images.range(start, size);
    const [, height = 0, width = 0, channels = 0] = batch.shape;
    using pixels = context.from(toColours(await batch.read(), channels, scale), [size, height, width, 3]);
    const { pool3, logits, unbiasedLogits } = network.features(pixels);
    const [poolValues, logitValues] = await context.read([pool3, unbiasedLogits]);
    [dimension, classes] = [pool3.shape[1]!, logits.shape[1]!];
    for (const tensor of [pool3, logits, unbiasedLogits]) tensor.dispose();
    pools.push(poolValues!);
    all.push(logitValues!);
    progress?.(start + size);
  }
  return {
    pool3: joined(pools),
    dimension,
    probabilities: softmaxRows(joined(all), classes),
    classes,
  };
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

function joined(parts: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
