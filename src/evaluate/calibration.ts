import { DivergenceError, ShapeError } from "../errors.ts";
import { softmaxRows } from "./probabilities.ts";
import { type Interval, wilsonInterval } from "./proportion.ts";

/** One bar of a reliability diagram. An empty bin is all zeros, and its interval is all of [0, 1]. */
export interface CalibrationBin {
  /** Number of images whose confidence lies in the bin. */
  readonly count: number;
  /** Share of them that are classified correctly. */
  readonly accuracy: number;
  /** 95 % interval of the accuracy. */
  readonly interval: Interval;
  /** Their mean confidence. */
  readonly confidence: number;
}

/** How far confidences differ from accuracies. */
export interface Calibration {
  /** Expected calibration error, from 0 to 1. */
  readonly value: number;
  /** Maximum calibration error: the largest gap between accuracy and confidence in any bin. */
  readonly maximum: number;
  /** Bins of equal width, from confidence 0 to 1. */
  readonly bins: readonly CalibrationBin[];
}

/**
 * Expected calibration error (Guo et al., ICML 2017, equation 3): Σ_b n_b/n · |accuracy_b − confidence_b| over bins
 * (b/bins, (b + 1)/bins] of the confidence max_y p(y|x).
 * @param logits `[images, classes]`.
 * @param labels Class of each image.
 * @throws {ShapeError} if the logits are not one row for each label.
 * @throws {DivergenceError} if logits are not finite.
 */
export function expectedCalibrationError(
  logits: Float32Array,
  labels: ArrayLike<number>,
  bins: number,
): Calibration {
  const images = labels.length;
  const classes = logits.length / images;
  if (!Number.isInteger(classes) || classes === 0) {
    throw new ShapeError(`${logits.length} logits for ${images} labels`);
  }
  const sums = Array.from({ length: bins }, () => ({ count: 0, correct: 0, confidence: 0 }));
  for (let image = 0; image < images; image++) {
    const { prediction, confidence } = predict(logits.subarray(image * classes, (image + 1) * classes));
    const sum = sums[Math.ceil(confidence * bins) - 1];
    if (!sum) throw new DivergenceError(`the logits of image ${image} are not finite`);
    sum.count++;
    sum.confidence += confidence;
    if (prediction === labels[image]) sum.correct++;
  }
  const gaps = sums.map(({ correct, confidence }) => Math.abs(correct - confidence));
  return {
    value: gaps.reduce((total, gap) => total + gap, 0) / images,
    maximum: Math.max(...gaps.map((gap, i) => gap / Math.max(1, sums[i]!.count))),
    bins: sums.map(({ count, correct, confidence }) => ({
      count,
      accuracy: count && correct / count,
      interval: wilsonInterval(correct, count),
      confidence: count && confidence / count,
    })),
  };
}

/**
 * Brier score: the mean over the images of Σ_y (p(y|x) − 1[y is the label])², from 0 to 2 (Brier, 1950).
 * @param logits `[images, classes]`.
 */
export function brierScore(logits: Float32Array, labels: ArrayLike<number>): number {
  const classes = logits.length / labels.length;
  const probabilities = softmaxRows(logits, classes);
  let sum = 0;
  probabilities.forEach((probability, i) => {
    const isLabel = labels[Math.floor(i / classes)] === i % classes;
    sum += (probability - Number(isLabel)) ** 2;
  });
  return sum / labels.length;
}

/** Range in which a temperature is searched. */
const temperatures = { low: 0.05, high: 20 } as const;

/**
 * The temperature that minimises the cross-entropy of softmax(logits/T) (Guo et al., ICML 2017, section 4.2), by
 * golden-section search, since the cross-entropy is convex in 1/T. Fit it on other images than those it is judged by.
 * @param logits `[images, classes]`.
 */
export function fitTemperature(logits: Float32Array, labels: ArrayLike<number>): number {
  const ratio = (Math.sqrt(5) - 1) / 2;
  let [low, high] = [1 / temperatures.high, 1 / temperatures.low];
  const loss = (inverse: number) => crossEntropy(logits, labels, 1 / inverse);
  let [left, right] = [high - ratio * (high - low), low + ratio * (high - low)];
  let [lossLeft, lossRight] = [loss(left), loss(right)];
  while (high - low > 1e-6 * high) {
    if (lossLeft < lossRight) {
      [high, right, lossRight] = [right, left, lossLeft];
      left = high - ratio * (high - low);
      lossLeft = loss(left);
    } else {
      [low, left, lossLeft] = [left, right, lossRight];
      right = low + ratio * (high - low);
      lossRight = loss(right);
    }
  }
  return 2 / (low + high);
}

/** Mean cross-entropy in nats of softmax(logits/temperature). */
export function crossEntropy(logits: Float32Array, labels: ArrayLike<number>, temperature = 1): number {
  const classes = logits.length / labels.length;
  let sum = 0;
  for (let image = 0; image < labels.length; image++) {
    const row = logits.subarray(image * classes, (image + 1) * classes);
    const highest = row.reduce((a, b) => Math.max(a, b));
    const total = row.reduce((total, logit) => total + Math.exp((logit - highest) / temperature), 0);
    sum += Math.log(total) + (highest - row[labels[image]!]!) / temperature;
  }
  return sum / labels.length;
}

/** The most probable class (the first of equals) and its probability under the softmax. */
function predict(logits: Float32Array): { prediction: number; confidence: number } {
  const highest = logits.reduce((a, b) => Math.max(a, b));
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit - highest), 0);
  return { prediction: logits.indexOf(highest), confidence: 1 / total };
}
