import assert from "node:assert/strict";
import { RandomStream } from "../../src/random/philox.ts";
import { areOfKinks, errorsOf, mayChange } from "./kinks.ts";

const stream = new RandomStream(1, 0, 0);

/** Normally distributed values. */
function reference(length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => stream.normal(i));
}

function passes(values: Float32Array, actual: Float32Array): boolean {
  const scale = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  const limits = { scale, tolerance: 1e-6 * scale, rounding: 1e-5 };
  return areOfKinks(errorsOf(actual, values), values.length, limits);
}

function withError(values: Float32Array, at: number, error: number): Float32Array {
  return values.map((value, i) => i === at ? value + error : value);
}

const norm = (values: Float32Array) => Math.hypot(...values);

Deno.test("kinks: one element of a small tensor may be off, if the l2 norm hardly is", () => {
  for (const length of [8, 16, 64, 99]) {
    const values = reference(length);
    for (const share of [4e-4, 4e-3, 0.99e-2]) {
      assert(passes(values, withError(values, 5, share * norm(values))), `${length}: ${share}`);
    }
    assert(!passes(values, withError(values, 5, 1.01e-2 * norm(values))), `${length}: more than a kink`);
  }
});

Deno.test("kinks: errors of a small tensor that are none fail", () => {
  for (const length of [2, 3, 16, 64, 99]) {
    const values = reference(length);
    const largest = values.reduce(
      (found, value, i) => Math.abs(value) > Math.abs(values[found]!) ? i : found,
      0,
    );
    const scaled = (factor: number) => values.map((value) => factor * value);
    assert(!passes(values, scaled(1.01)), `${length}: all 1 % too large`);
    assert(!passes(values, scaled(0.99)), `${length}: all 1 % too small`);
    assert(!passes(values, scaled(-1)), `${length}: all of the other sign`);
    assert(!passes(values, values.toReversed()), `${length}: in another order`);
    assert(!passes(values, values.with(largest, 2 * values[largest]!)), `${length}: one twice as large`);
    assert(!passes(values, values.with(largest, 0)), `${length}: one missing`);
    assert(!passes(values, values.with(0, NaN)), `${length}: one no number`);
  }
  const biases = reference(64);
  const few = withError(withError(biases, 3, 4e-3 * norm(biases)), 9, 4e-3 * norm(biases));
  assert(!passes(biases, few), "two elements off");
  const wrong = [...biases.keys()].filter((i) => !passes(biases, biases.with(i, 2 * biases[i]!)));
  assert(
    wrong.length >= 57,
    "one bias that is twice as large, unless it is smaller than a twelfth of the others",
  );
});

Deno.test("kinks: a hundredth of a large tensor may be off, and no element of a single number", () => {
  assert.deepEqual([1, 2, 99, 100, 199, 200, 4096].map(mayChange), [0, 1, 1, 1, 1, 2, 40]);
  const values = reference(4000);
  const error = 9e-3 * norm(values);
  const off = (count: number) =>
    values.map((value, i) => i < count ? value + error / Math.sqrt(count) : value);
  assert(passes(values, off(40)));
  assert(!passes(values, off(41)));
  assert(!passes(values, values.map((value) => 1.01 * value)));
  const loss = Float32Array.of(2.5);
  assert(passes(loss, Float32Array.of(2.5 * 1.0009)));
  assert(!passes(loss, Float32Array.of(2.5 * 1.0011)));
});
