import type { DeviceImages } from "../data/device_images.ts";
import type { BatchOptions } from "../distributed/batches.ts";
import type { WideResNet } from "../nn/wide_resnet.ts";
import { crossEntropy } from "./calibration.ts";
import { extractFeatures } from "./features.ts";
import { largestOfRows } from "./probabilities.ts";
import { type Interval, wilsonInterval } from "./proportion.ts";

/** Logits of every image of a set. */
export interface Classified {
  /** `[N, classes]`. */
  readonly logits: Float32Array;
  readonly labels: Uint32Array;
  readonly classes: number;
}

/**
 * Classifies a set of images with the running statistics.
 * @param options its progress is called with the number of images done
 */
export async function classifyImages(
  model: WideResNet,
  images: DeviceImages,
  options?: BatchOptions,
): Promise<Classified> {
  const { logits } = await extractFeatures(model, images, options);
  return { logits, labels: images.labels, classes: model.architecture.classes };
}

/** Some of the classified images. */
export function selectClassified({ logits, labels, classes }: Classified, indices: Uint32Array): Classified {
  const chosen = new Float32Array(indices.length * classes);
  indices.forEach((index, i) =>
    chosen.set(logits.subarray(index * classes, (index + 1) * classes), i * classes)
  );
  return { logits: chosen, labels: indices.map((index) => labels[index]!), classes };
}

/** How well a set of images is classified. */
export interface ClassificationResult {
  /** Fraction of images whose largest logit is the label's. */
  readonly accuracy: number;
  /** 95 % interval of the accuracy. */
  readonly accuracyInterval: Interval;
  /** Mean cross-entropy in nats. */
  readonly loss: number;
}

/** Accuracy and cross-entropy of classified images. */
export function accuracyAndLoss({ logits, labels, classes }: Classified): ClassificationResult {
  const { positions } = largestOfRows(logits, classes);
  const correct = positions.filter((prediction, i) => prediction === labels[i]).length;
  return {
    accuracy: correct / labels.length,
    accuracyInterval: wilsonInterval(correct, labels.length),
    loss: crossEntropy(logits, labels),
  };
}

/** How many images of each class (row) are classified as each class (column). */
export function confusionMatrix({ logits, labels, classes }: Classified): number[][] {
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  largestOfRows(logits, classes).positions.forEach((prediction, i) => matrix[labels[i]!]![prediction]!++);
  return matrix;
}

/** How the images of one class are classified. */
export interface ClassResult {
  readonly images: number;
  /** NaN without images. */
  readonly accuracy: number;
  /** 95 % interval of the accuracy. */
  readonly interval: Interval;
}

/** Accuracy on the images of each class, from a confusion matrix. */
export function classResults(matrix: readonly (readonly number[])[]): ClassResult[] {
  return matrix.map((row, label) => {
    const images = row.reduce((sum, count) => sum + count, 0);
    const correct = row[label]!;
    return { images, accuracy: correct / images, interval: wilsonInterval(correct, images) };
  });
}
