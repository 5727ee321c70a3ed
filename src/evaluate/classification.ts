import type { DeviceImages } from "../data/device_images.ts";
import { evaluation, type WideResNet } from "../nn/wide_resnet.ts";

/** Images classified at once. */
const batchSize = 64;

/** Logits of every image of a set. */
export interface Classified {
  /** `[N, classes]`. */
  readonly logits: Float32Array;
  readonly labels: Uint32Array;
  readonly classes: number;
}

/**
 * Classifies a set of images with the running statistics.
 * @param progress called with the number of images done
 */
export async function classifyImages(
  model: WideResNet,
  images: DeviceImages,
  progress?: (done: number) => void,
): Promise<Classified> {
  const { classes } = model.architecture;
  const logits = new Float32Array(images.count * classes);
  for (let start = 0; start < images.count; start += batchSize) {
    const count = Math.min(batchSize, images.count - start);
    const indices = Uint32Array.from({ length: count }, (_, i) => start + i);
    logits.set(await classifyBatch(model, images, indices), start * classes);
    progress?.(start + count);
  }
  return { logits, labels: images.labels, classes };
}

/** Fraction of images whose largest logit is the label's, and mean cross-entropy in nats. */
export function accuracyAndLoss({ logits, labels, classes }: Classified): { accuracy: number; loss: number } {
  let correct = 0;
  let loss = 0;
  labels.forEach((label, i) => {
    const row = logits.subarray(i * classes, (i + 1) * classes);
    const largest = Math.max(...row);
    if (row.indexOf(largest) === label) correct++;
    const logSum = largest + Math.log(row.reduce((sum, logit) => sum + Math.exp(logit - largest), 0));
    loss += logSum - row[label]!;
  });
  return { accuracy: correct / labels.length, loss: loss / labels.length };
}

async function classifyBatch(
  model: WideResNet,
  images: DeviceImages,
  indices: Uint32Array,
): Promise<Float32Array> {
  const { context } = model;
  using logits = context.scope(() => {
    const batch = images.expand(context.from(indices, [indices.length]));
    return model.classify(batch, evaluation);
  });
  return await logits.read();
}
