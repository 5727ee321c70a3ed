/** Compares tensors with the reference and prints a verdict on each. */

import assert from "node:assert/strict";
import type { HostTensor } from "../../src/formats/pytorch/layout.ts";
import type { GoldenFile } from "./golden_file.ts";
import { areOfKinks, errorsOf } from "./kinks.ts";

/**
 * How a tensor depends on rounding.
 * - `smooth`: continuously, so the deviation of float32 runs bounds ours.
 * - `kinks`: through gradients, which jump where a pre-activation within rounding error of zero falls on the other side
 *   of a LeakyReLU. The largest error may then be anything; most elements and the l2 norm are still right (`kinks.ts`).
 * - `noise`: rounding errors that Adam has divided by their own size. Only the size of the steps bounds them.
 */
export type Sensitivity = "smooth" | "kinks" | { readonly noiseBound: number };

/**
 * The recorded deviation is the largest of eight runs with one library; another order of summation may be a few times
 * worse. Measured here: at most 3 times, on tensors without kinks.
 */
const safetyFactor = 10;
/** For the case that eight runs agree better than float32 resolves: 16 units in the last place of the largest value. */
const relativeFloor = 16 * 2 ** -24;
/** Verdicts on the tensors that a file holds. Its author may have stored only some of them. */
export class Verdicts {
  readonly #file: GoldenFile;
  #compared = 0;
  readonly #lines: string[] = [];
  readonly #failures: string[] = [];

  constructor(file: GoldenFile) {
    this.#file = file;
  }

  /** Whether the file has a tensor whose name is one of these or begins with one. */
  wants(...beginnings: readonly string[]): boolean {
    return this.#file.names.some((name) => beginnings.some((beginning) => name.startsWith(beginning)));
  }

  /** Compares `actual` with the file's tensor of that name, if there is one. */
  compare(name: string, actual: HostTensor, sensitivity: Sensitivity): void {
    if (!this.#counted(name)) return;
    const reference = this.#file.tensor(name);
    assert.deepEqual(actual.shape, reference.shape, `${name}: shape`);
    this.#judge(name, actual.data, reference.data, sensitivity);
  }

  /** Compares one number with the file's tensor of one element. */
  compareNumber(name: string, actual: number, sensitivity: Sensitivity): void {
    if (!this.#counted(name)) return;
    this.#judge(name, Float32Array.of(actual), this.#file.tensor(name).data, sensitivity);
  }

  /** Compares an integer, exactly. */
  compareCount(name: string, actual: number): void {
    if (!this.#counted(name)) return;
    const [expected] = this.#file.numbers(name);
    this.#add(name, `${actual}`, `${expected}`, actual === expected ? "equal" : "WRONG");
  }

  /** Compares flags, exactly. */
  compareFlags(name: string, actual: readonly boolean[]): void {
    if (!this.#counted(name)) return;
    const expected = [...this.#file.numbers(name)].map(Boolean);
    const wrong = expected.filter((flag, i) => flag !== actual[i]).length +
      Math.abs(expected.length - actual.length);
    this.#add(name, `${wrong}`, "0", wrong === 0 ? "equal" : "WRONG");
  }

  /** Compares numbers whose only rounding error is that of their storage as float32. */
  compareExact(name: string, actual: readonly number[]): void {
    if (!this.#counted(name)) return;
    const expected = [...this.#file.tensor(name).data];
    const equal = expected.length === actual.length &&
      actual.every((value, i) => Math.fround(value) === expected[i]);
    this.#add(name, `${actual}`, `${expected}`, equal ? "equal" : "WRONG");
  }

  /**
   * Prints all verdicts. Fails if one is bad, if a tensor of the file was left out, or if the file has no tensor that
   * is compared.
   */
  conclude(): void {
    const head = ["tensor".padEnd(52), "max error", "tolerance", "l2 error"].join("  ");
    // deno-lint-ignore no-console -- the verdicts are what this test is run for
    console.log(`${this.#file.name}\n${head}\n${this.#lines.join("\n")}`);
    assert(this.#compared > 0, `${this.#file.name}: it holds no tensor that this test compares`);
    this.#file.assertAllUsed();
    this.assertEqual();
  }

  /** Fails if one of the verdicts so far is bad. */
  assertEqual(): void {
    assert.deepEqual(this.#failures, [], `${this.#file.name}: tensors that differ from the reference`);
  }

  #counted(name: string): boolean {
    if (!this.#file.has(name)) return false;
    this.#compared++;
    return true;
  }

  #judge(name: string, actual: Float32Array, reference: Float32Array, sensitivity: Sensitivity): void {
    const deviation = this.#file.deviation(name);
    const errors = errorsOf(actual, reference);
    const { largest, l2 } = errors;
    const scale = Math.max(deviation.max_reference ?? 0, maximum(reference));
    const tolerance = typeof sensitivity === "object"
      ? sensitivity.noiseBound
      : safetyFactor * deviation.max_abs + relativeFloor * scale;
    let verdict = largest <= tolerance ? "equal" : "WRONG";
    if (verdict === "WRONG" && sensitivity === "kinks") {
      const rounding = safetyFactor * deviation.rel_l2;
      if (areOfKinks(errors, reference.length, { scale, tolerance, rounding })) {
        verdict = "equal but for kinks";
      }
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

function maximum(values: Float32Array): number {
  return values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
}
