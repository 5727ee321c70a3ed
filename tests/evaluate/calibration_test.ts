import assert from "node:assert/strict";
import { DivergenceError, ShapeError } from "../../src/errors.ts";
import { float32Of, numbersOf, parseSafetensors } from "../../src/formats/safetensors.ts";
import { expectedCalibrationError } from "../../src/evaluate/calibration.ts";

Deno.test("expectedCalibrationError() equals the official implementation's", async () => {
  const golden = new URL("../golden/data/metrics.safetensors", import.meta.url);
  const { tensors } = parseSafetensors(await Deno.readFile(golden));
  const tensor = (name: string) => tensors.get(name)!;
  const logits = float32Of(tensor("ece.logits"));
  const labels = numbersOf(tensor("ece.labels"));
  for (const bins of [15, 20]) {
    const { value, bins: found } = expectedCalibrationError(logits, labels, bins);
    // Both sides compute in float64: only the order of summation differs.
    const close = (actual: number, expected: number, what: string) =>
      assert.ok(Math.abs(actual - expected) < 1e-13, `${what} of ${bins} bins: ${actual}, not ${expected}`);
    close(value, numbersOf(tensor(`ece.value_${bins}_bins`))[0]!, "value");
    assert.deepEqual(found.map(({ count }) => count), [...numbersOf(tensor(`ece.bin_count_${bins}`))]);
    const accuracies = numbersOf(tensor(`ece.bin_accuracy_${bins}`));
    const confidences = numbersOf(tensor(`ece.bin_confidence_${bins}`));
    found.forEach(({ accuracy, confidence }, i) => {
      close(accuracy, accuracies[i]!, `accuracy ${i}`);
      close(confidence, confidences[i]!, `confidence ${i}`);
    });
  }
});

Deno.test("expectedCalibrationError() puts a confidence on a boundary into the lower bin", () => {
  // Two equal logits: confidence 1/2, and the first class is predicted.
  const { value, bins } = expectedCalibrationError(Float32Array.of(3, 3, 3, 3), [0, 1], 2);
  assert.deepEqual(bins, [{ count: 2, accuracy: 0.5, confidence: 0.5 }, {
    count: 0,
    accuracy: 0,
    confidence: 0,
  }]);
  assert.equal(value, 0);
});

Deno.test("expectedCalibrationError() takes logits of any size", () => {
  const { value, bins } = expectedCalibrationError(Float32Array.of(3e38, -3e38, 1e4, -Infinity), [0, 1], 10);
  assert.equal(value, 0.5);
  assert.deepEqual(bins[9], { count: 2, accuracy: 0.5, confidence: 1 });
});

Deno.test("expectedCalibrationError() refuses logits that are not finite or not one row an image", () => {
  assert.throws(() => expectedCalibrationError(Float32Array.of(1, NaN), [0], 10), DivergenceError);
  assert.throws(() => expectedCalibrationError(Float32Array.of(1, Infinity), [0], 10), DivergenceError);
  assert.throws(() => expectedCalibrationError(new Float32Array(5), [0, 1], 10), ShapeError);
  assert.throws(() => expectedCalibrationError(new Float32Array(), [], 10), ShapeError);
});
