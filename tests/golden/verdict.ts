/** Compares tensors with the reference and prints a verdict on each. */

import assert from "node:assert/strict";
import type { HostTensor } from "../../src/formats/pytorch_layout.ts";
import type { GoldenFile } from "./golden_file.ts";

/**
 * How a tensor depends on rounding.
 * - `smooth`: continuously, so the deviation of float32 runs bounds ours.
 * - `kinks`: through gradients, which jump where a pre-activation within rounding error of zero falls on the other side
 *   of a LeakyReLU. The largest error may then be anything; most elements and the l2 norm are still right.
 * - `noise`: rounding errors that Adam has divided by their own size. Only the size of the steps bounds them.
 */
export type Sensitivity = "smooth" | "kinks" | { readonly noiseBound: number };

/**
 * The recorded deviation is the largest of eight runs with one library; another order of summation may be a few times
 * worse. Measured here: at most 3 times, on tensors without kinks.
 */
const safetyFactor = 10;
/** Where eight runs happened to agree better than float32 resolves: 16 units in the last place of the largest value. */
const relativeFloor = 16 * 2 ** -24;
/** What one kink may do, as measured with the official code: up to a per cent in the l2 norm, in few elements. */
const kinkL2 = 1e-2;
const kinkQuantile = { share: 0.99, relative: 1e-3 };

/** Verdicts on the tensors of one file. */
export class Verdicts {
  readonly #file: GoldenFile;
  readonly #lines: string[] = [];
  readonly #failures: string[] = [];

  constructor(file: GoldenFile) {
    this.#file = file;
  }

  /** Compares `actual` with the file's tensor of that name. */
  compare(name: string, actual: HostTensor, sensitivity: Sensitivity): void {
    const reference = this.#file.tensor(name);
    assert.deepEqual(actual.shape, reference.shape, `${name}: shape`);
    this.#judge(name, actual.data, reference.data, sensitivity);
  }

  /** Compares one number with the file's tensor of one element. */
  compareNumber(name: string, actual: number, sensitivity: Sensitivity): void {
    this.#judge(name, Float32Array.of(actual), this.#file.tensor(name).data, sensitivity);
  }

  /** Compares a whole number, exactly. */
  compareCount(name: string, actual: number): void {
    const [expected] = this.#file.numbers(name);
    this.#add(name, `${actual}`, `${expected}`, actual === expected ? "equal" : "WRONG");
  }

  /** Compares numbers that have no rounding errors but those of their storage as float32. */
  compareExact(name: string, actual: readonly number[]): void {
    const expected = [...this.#file.tensor(name).data];
    const equal = expected.length === actual.length &&
      actual.every((value, i) => Math.fround(value) === expected[i]);
    this.#add(name, `${actual}`, `${expected}`, equal ? "equal" : "WRONG");
  }

  /** Prints all verdicts; fails if one is bad or a tensor of the file was left out. */
  conclude(): void {
    const head = ["tensor".padEnd(52), "max error", "tolerance", "l2 error"].join("  ");
    // deno-lint-ignore no-console -- the verdicts are what this test is run for
    console.log(`${this.#file.name}\n${head}\n${this.#lines.join("\n")}`);
    this.#file.assertAllUsed();
    this.assertEqual();
  }

  /** Fails if one of the verdicts so far is bad. */
  assertEqual(): void {
    assert.deepEqual(this.#failures, [], `${this.#file.name}: tensors that differ from the reference`);
  }

  #judge(name: string, actual: Float32Array, reference: Float32Array, sensitivity: Sensitivity): void {
    const deviation = this.#file.deviation(name);
    const { largest, l2, quantile } = errors(actual, reference);
    const scale = Math.max(deviation.max_reference ?? 0, maximum(reference));
    const tolerance = typeof sensitivity === "object"
      ? sensitivity.noiseBound
      : safetyFactor * deviation.max_abs + relativeFloor * scale;
    let verdict = largest <= tolerance ? "equal" : "WRONG";
    if (verdict === "WRONG" && sensitivity === "kinks") {
      const l2Tolerance = Math.max(kinkL2, safetyFactor * deviation.rel_l2);
      const quantileTolerance = Math.max(kinkQuantile.relative * scale, tolerance);
      if (l2 <= l2Tolerance && quantile <= quantileTolerance) verdict = "equal but for kinks";
    }
    this.#add(name, largest.toExponential(2), tolerance.toExponential(2), verdict, l2.toExponential(2));
  }

  #add(name: string, error: string, tolerance: string, verdict: string, l2 = ""): void {
    const line = [name.padEnd(52), error.padStart(9), tolerance.padStart(9), l2.padStart(8), verdict].join(
      "  ",
    );
    this.#lines.push(line);
    if (verdict === "WRONG") this.#failures.push(line);
  }
}

/** Largest absolute error, relative error in the l2 norm, and the error that 99 % of the elements stay below. */
function errors(actual: Float32Array, reference: Float32Array) {
  const differences = actual.map((value, i) => Math.abs(value - reference[i]!));
  const norm = (values: Float32Array) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  if (differences.some(Number.isNaN)) return { largest: Infinity, l2: Infinity, quantile: Infinity };
  const sorted = differences.toSorted();
  const quantile = sorted[Math.ceil(sorted.length * kinkQuantile.share) - 1]!;
  return { largest: sorted.at(-1)!, l2: norm(differences) / (norm(reference) || 1), quantile };
}

function maximum(values: Float32Array): number {
  return values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
}
