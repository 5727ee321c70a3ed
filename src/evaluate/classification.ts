import type { DeviceImages } from "../data/device_images.ts";
import type { WideResNet } from "../nn/wide_resnet.ts";
import { crossEntropy } from "./calibration.ts";
import { extractFeatures } from "./features.ts";
import { largestOfRows } from "./probabilities.ts";

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
  const { positions } = largestOfRows(logits, classes);
  const correct = positions.filter((prediction, i) => prediction === labels[i]).length;
  return { accuracy: correct / labels.length, loss: crossEntropy(logits, labels) };
}

/** How many images of each class (row) are taken for each class (column). */
export function confusionMatrix({ logits, labels, classes }: Classified): number[][] {
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  largestOfRows(logits, classes).positions.forEach((prediction, i) => matrix[labels[i]!]![prediction]!++);
  return matrix;
}

/** Accuracy on the images of each class, from a confusion matrix; NaN for a class without images. */
export function classAccuracies(matrix: readonly (readonly number[])[]): number[] {
  return matrix.map((row, label) => row[label]! / row.reduce((sum, count) => sum + count, 0));
}
