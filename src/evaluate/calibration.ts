import { DivergenceError, ShapeError } from "../errors.ts";

/** One bar of a reliability diagram; an empty bin is all zeros. */
export interface CalibrationBin {
  /** Images whose confidence lies in the bin. */
  readonly count: number;
  /** Share of them that are classified correctly. */
  readonly accuracy: number;
  /** Their mean confidence. */
  readonly confidence: number;
}

/** How far confidences are from accuracies. */
export interface Calibration {
  /** Expected calibration error, from 0 to 1. */
  readonly value: number;
  /** Bins of equal width from confidence 0 to 1. */
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
  const value = sums.reduce((total, { correct, confidence }) => total + Math.abs(correct - confidence), 0);
  return {
    value: value / images,
    bins: sums.map(({ count, correct, confidence }) => ({
      count,
      accuracy: count && correct / count,
      confidence: count && confidence / count,
    })),
  };
}

/** The most probable class (the first of equals) and its probability under the softmax. */
function predict(logits: Float32Array): { prediction: number; confidence: number } {
  const highest = logits.reduce((a, b) => Math.max(a, b));
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit - highest), 0);
  return { prediction: logits.indexOf(highest), confidence: 1 / total };
}
