import type { DeviceImages } from "../data/device_images.ts";
import type { WideResNet } from "../nn/wide_resnet.ts";
import { extractFeatures } from "./features.ts";

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
  const { logits } = await extractFeatures(model, images, progress);
  return { logits, labels: images.labels, classes: model.architecture.classes };
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
