/** Runs single kernels on host arrays, for tests and benches. */

import { Gpu } from "../../src/gpu/gpu.ts";
import type { Kernel } from "../../src/kernels/kernel.ts";
import { launch } from "../../src/tensor/launch.ts";

let shared: Promise<Gpu> | undefined;

/** The device that all tests of one file share. */
export function testGpu(): Promise<Gpu> {
  return shared ??= Gpu.request();
}

/** An operand: host data, or a length for an output, which is filled with NaN before the run. */
export type Operand = Float32Array | Uint32Array | number;

/**
 * Runs `kernel` once and returns every operand's contents afterwards, by name, as float32. Operands given as a number
 * are outputs of that many elements, poisoned with NaN; bindings beyond an operand's end are poisoned too.
 */
export async function runKernel<Shape, Name extends string>(
  kernel: Kernel<Shape, Name>,
  shape: Shape,
  operands: Readonly<Record<Name, Operand>>,
): Promise<Record<Name, Float32Array>> {
  const gpu = await testGpu();
  const names = kernel.bindings.map((binding) => binding.name);
  const lengths = names.map((name) => lengthOf(operands[name]));
  const borrowed = names.map((name, i) => {
    const needed = kernel.bindings[i]!.bytes(shape);
    const pooled = gpu.acquire(Math.max(needed, lengths[i]! * 4));
    const range = { buffer: pooled.buffer, offset: 0, size: pooled.capacity };
    gpu.write(range, new Float32Array(pooled.capacity / 4).fill(NaN));
    const operand = operands[name];
    if (typeof operand !== "number") gpu.write(range, operand);
    return { pooled, range };
  });
  const bindables = Object.fromEntries(names.map((name, i) => [name, { range: () => borrowed[i]!.range }]));
  launch(gpu, kernel, shape, bindables as Record<Name, { range(): typeof borrowed[0]["range"] }>);
  const contents = await gpu.read(borrowed.map(({ range }) => range));
  for (const { pooled } of borrowed) gpu.pool.release(pooled);
  return Object.fromEntries(
    names.map((name, i) => [name, new Float32Array(contents[i]!, 0, lengths[i]!)]),
  ) as Record<Name, Float32Array>;
}

function lengthOf(operand: Operand): number {
  return typeof operand === "number" ? operand : operand.length;
}

/** Deterministic values in [low, high), from a small linear congruential generator: test inputs, not randomness. */
export function values(length: number, seed = 1, low = -1, high = 1): Float32Array {
  let state = seed >>> 0;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return low + (high - low) * (state / 2 ** 32);
  });
}

/** Largest |actual − expected| divided by the largest |expected|; NaN if any actual value is NaN. */
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
