/** Runs single kernels on host arrays, for tests and benches. */

import { Gpu } from "../../src/gpu/gpu.ts";
import type { Kernel } from "../../src/kernels/kernel.ts";
import { type Operand, run } from "../../src/kernels/run.ts";

let shared: Promise<Gpu> | undefined;

/** The device that all tests of a file share. */
export function testGpu(): Promise<Gpu> {
  return shared ??= Gpu.request();
}

/**
 * Runs `kernel` once on the tests' device and returns every operand's contents afterwards, by name, as float32.
 * Operands given as a number are outputs of that many elements. See {@link run} for how they are poisoned. If the
 * kernel has a variant for software adapters, the variant must compute the same up to rounding.
 * @param rounding bound on the error between the two: larger where they sum many values, in different orders
 */
export async function runKernel<Shape, Name extends string>(
  kernel: Kernel<Shape, Name>,
  shape: Shape,
  operands: Readonly<Record<Name, Operand>>,
  rounding = 1e-6,
): Promise<Record<Name, Float32Array>> {
  const contents = await runOnce(kernel, shape, operands);
  const { software } = kernel.variants ?? {};
  if (!software) return contents;
  const others: Record<string, Float32Array> = await runOnce(software, shape, operands);
  for (const { name } of kernel.bindings.filter(({ access }) => access === "read-write")) {
    const error = relativeError(others[name]!, contents[name]);
    if (!(error < rounding)) throw new Error(`${software.name}: ${name} differs by ${error}`);
  }
  return contents;
}

async function runOnce<Shape, Name extends string>(
  kernel: Kernel<Shape, Name>,
  shape: Shape,
  operands: Readonly<Record<Name, Operand>>,
): Promise<Record<Name, Float32Array>> {
  const { device } = await testGpu();
  const contents: Record<Name, Float32Array | Uint32Array> = await run(kernel, shape, operands, device);
  const floats = Object.entries<Float32Array | Uint32Array>(contents).map(([name, values]) => [
    name,
    values instanceof Uint32Array ? new Float32Array(values.buffer) : values,
  ]);
  return Object.fromEntries(floats);
}

/**
 * Deterministic values in [low, high), from a small linear congruential generator. They are test inputs, not
 * randomness.
 */
export function values(length: number, seed = 1, low = -1, high = 1): Float32Array {
  let state = seed >>> 0;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return low + (high - low) * (state / 2 ** 32);
  });
}

/** Largest |actual − expected| divided by the largest |expected|. NaN if any actual value is NaN. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) {
    throw new RangeError(`${actual.length} values, expected ${expected.length}`);
  }
  let error = 0;
  let scale = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!);
    if (Number.isNaN(difference)) return NaN;
    error = Math.max(error, difference);
    scale = Math.max(scale, Math.abs(expected[i]!));
  }
  return scale === 0 ? error : error / scale;
}

/** Root mean square of actual − expected, relative to that of expected. NaN if any actual value is NaN. */
export function rootMeanSquareError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [squares, scale] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    squares += (actual[i]! - expected[i]!) ** 2;
    scale += expected[i]! ** 2;
  }
  return Math.sqrt(squares / scale);
}
