import assert from "node:assert/strict";
import { DivergenceError, ShapeError } from "../../src/errors.ts";
import {
  brierScore,
  crossEntropy,
  expectedCalibrationError,
  fitTemperature,
} from "../../src/evaluate/calibration.ts";
import { accuracyAndLoss, classResults, confusionMatrix } from "../../src/evaluate/classification.ts";
import { wilsonInterval } from "../../src/evaluate/proportion.ts";
import { softmaxRows } from "../../src/evaluate/probabilities.ts";
import { goldenFloats, goldenNumbers } from "./metrics.ts";

Deno.test("expectedCalibrationError() equals the official implementation's", () => {
  const logits = goldenFloats("ece.logits");
  const labels = goldenNumbers("ece.labels");
  for (const bins of [15, 20]) {
    const { value, maximum, bins: found } = expectedCalibrationError(logits, labels, bins);
    // Both sides compute in float64, so only the order of summation differs.
    const close = (actual: number, expected: number, what: string) =>
      assert.ok(Math.abs(actual - expected) < 1e-13, `${what} of ${bins} bins: ${actual}, not ${expected}`);
    close(value, goldenNumbers(`ece.value_${bins}_bins`)[0]!, "value");
    assert.deepEqual(found.map(({ count }) => count), [...goldenNumbers(`ece.bin_count_${bins}`)]);
    const accuracies = goldenNumbers(`ece.bin_accuracy_${bins}`);
    const confidences = goldenNumbers(`ece.bin_confidence_${bins}`);
    found.forEach(({ accuracy, confidence }, i) => {
      close(accuracy, accuracies[i]!, `accuracy ${i}`);
      close(confidence, confidences[i]!, `confidence ${i}`);
    });
    close(
      maximum,
      Math.max(...accuracies.map((accuracy, i) => Math.abs(accuracy - confidences[i]!))),
      "maximum",
    );
  }
});

Deno.test("expectedCalibrationError() puts a confidence on a boundary into the lower bin", () => {
  // For two equal logits, the confidence is 1/2 and the first class is predicted.
  const { value, bins } = expectedCalibrationError(Float32Array.of(3, 3, 3, 3), [0, 1], 2);
  const half = { count: 2, accuracy: 0.5, interval: wilsonInterval(1, 2), confidence: 0.5 };
  assert.deepEqual(bins, [half, {
    count: 0,
    accuracy: 0,
    interval: [0, 1],
    confidence: 0,
  }]);
  assert.equal(value, 0);
});

Deno.test("expectedCalibrationError() takes logits of any size", () => {
  const { value, bins } = expectedCalibrationError(Float32Array.of(3e38, -3e38, 1e4, -Infinity), [0, 1], 10);
  assert.equal(value, 0.5);
  assert.deepEqual(bins[9], { count: 2, accuracy: 0.5, interval: wilsonInterval(1, 2), confidence: 1 });
});

Deno.test("expectedCalibrationError() refuses logits that are not finite or not one row an image", () => {
  assert.throws(() => expectedCalibrationError(Float32Array.of(1, NaN), [0], 10), DivergenceError);
  assert.throws(() => expectedCalibrationError(Float32Array.of(1, Infinity), [0], 10), DivergenceError);
  assert.throws(() => expectedCalibrationError(new Float32Array(5), [0, 1], 10), ShapeError);
  assert.throws(() => expectedCalibrationError(new Float32Array(), [], 10), ShapeError);
});

Deno.test("brierScore() is the mean squared distance from certainty of the label", () => {
  assert.equal(brierScore(Float32Array.of(50, 0, 0, 50), [0, 0]), 1);
  assert.equal(brierScore(Float32Array.of(0, 0), [1]), 0.5);
  const logits = goldenFloats("ece.logits");
  const labels = goldenNumbers("ece.labels");
  let expected = 0;
  softmaxRows(logits, 10).forEach((p, i) => {
    expected += (labels[Math.floor(i / 10)] === i % 10 ? (1 - p) ** 2 : p ** 2) / labels.length;
  });
  assert(Math.abs(brierScore(logits, labels) - expected) < 1e-12);
});

Deno.test("fitTemperature() finds the least cross-entropy, and the temperature that logits were multiplied by", () => {
  const logits = goldenFloats("ece.logits");
  const labels = goldenNumbers("ece.labels");
  const temperature = fitTemperature(logits, labels);
  const best = crossEntropy(logits, labels, temperature);
  for (const factor of [0.99, 1.01]) assert(best <= crossEntropy(logits, labels, factor * temperature));
  const hotter = fitTemperature(logits.map((logit) => 3 * logit), labels);
  assert(Math.abs(hotter / (3 * temperature) - 1) < 1e-3);
});

Deno.test("confusionMatrix() counts images by class and prediction; accuracies follow", () => {
  const logits = Float32Array.of(2, 1, 0, 0, 3, 1, 5, 0, 0, 1, 1, 0);
  const classified = { logits, labels: Uint32Array.of(0, 1, 1, 2), classes: 3 };
  const matrix = confusionMatrix(classified);
  assert.deepEqual(matrix, [[1, 0, 0], [1, 1, 0], [1, 0, 0]]);
  const results = classResults([...matrix, [0, 0, 0]]);
  assert.deepEqual(results.map(({ accuracy }) => accuracy), [1, 0.5, 0, NaN]);
  assert.deepEqual(results.map(({ images }) => images), [1, 2, 1, 0]);
  assert.deepEqual(results.map(({ interval }) => interval), [
    wilsonInterval(1, 1),
    wilsonInterval(1, 2),
    wilsonInterval(0, 1),
    [0, 1],
  ]);
  assert.equal(accuracyAndLoss(classified).accuracy, 0.5);
});
