import type { DeviceImages } from "../data/device_images.ts";
import { evaluation, type WideResNet } from "../nn/wide_resnet.ts";

/** Images treated at once. */
const batchSize = 64;

/** What a model makes of images, with the running statistics. */
export interface Features {
  /** Pooled features of the last group, `[N, features]`. */
  readonly features: Float32Array<ArrayBuffer>;
  /** Logits, `[N, classes]`. */
  readonly logits: Float32Array<ArrayBuffer>;
  /** Features of an image. */
  readonly size: number;
}

/**
 * Features and logits of every image of a set.
 * @param progress called with the number of images done
 */
export async function extractFeatures(
  model: WideResNet,
  images: DeviceImages,
  progress?: (done: number) => void,
): Promise<Features> {
  const { context, architecture: { classes } } = model;
  const logits = new Float32Array(images.count * classes);
  let features = new Float32Array();
  let size = 0;
  for (let start = 0; start < images.count; start += batchSize) {
    const count = Math.min(batchSize, images.count - start);
    const indices = Uint32Array.from({ length: count }, (_, i) => start + i);
    using batch = context.scope(() => images.expand(context.from(indices, [count])));
    using pooled = context.scope(() => model.features(batch, evaluation));
    using scores = context.scope(() => model.classifyFeatures(pooled));
    const [featureValues, logitValues] = await context.read([pooled, scores]);
    if (size === 0) {
      size = pooled.shape[1]!;
      features = new Float32Array(images.count * size);
    }
    features.set(featureValues!, start * size);
    logits.set(logitValues!, start * classes);
    progress?.(start + count);
  }
  return { features, logits, size };
}
