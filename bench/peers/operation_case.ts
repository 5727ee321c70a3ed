/** The operations that all libraries compute, on the same numbers, and the values that their results must have. */

import { RandomStream } from "../../src/random/philox.ts";
import { timeCalls, type Times } from "../lib/timing.ts";

/** A 3×3 convolution of stride 1 that keeps the size, or one of its gradients, or a product of square matrices. */
export interface OperationCase {
  readonly operation: "forward" | "input" | "weight" | "matmul";
  readonly batch: number;
  readonly channels: number;
  /** Height and width of the maps, or the side of the matrices. */
  readonly size: number;
}

/** Operands by name, images `[N, H, W, C]`, weights `[3, 3, in, out]`, matrices row by row. */
export type Operands = Readonly<Record<"input" | "weight" | "outputGradient", Float32Array<ArrayBuffer>>>;

/** An operation on one library. */
export interface Prepared {
  /** Submits the operation once. */
  readonly call: () => void | Promise<void>;
  /** Waits until all that was submitted is done. */
  readonly wait: () => Promise<void>;
  /** The latest result, in this project's layout. */
  readonly result: () => Promise<Float32Array>;
}

/** A library's side of the benchmark; undefined if it does not offer the operation. */
export type Prepare = (benchmark: OperationCase, operands: Operands) => Promise<Prepared | undefined>;

/** The result of an operation on one library. */
export interface OperationResult extends Times {
  /** Largest difference from float64, relative to the largest value, over some of the results. */
  readonly error: number;
}

/** Floating-point operations. */
export function operationsOf({ operation, batch, channels, size }: OperationCase): number {
  return operation === "matmul" ? 2 * size ** 3 : 2 * 9 * batch * size ** 2 * channels ** 2;
}

/** Bytes that must be moved: both operands read once, the result written once. */
export function leastBytesOf({ operation, batch, channels, size }: OperationCase): number {
  if (operation === "matmul") return 4 * 3 * size ** 2;
  return 4 * (2 * batch * size ** 2 * channels + 9 * channels ** 2);
}

/** Random operands in [−1, 1). */
export function operandsOf({ operation, batch, channels, size }: OperationCase): Operands {
  const draw = (length: number, index: number) => {
    const stream = new RandomStream(1, 0, index);
    return Float32Array.from({ length }, (_, i) => 2 * stream.uniform(i) - 1);
  };
  if (operation === "matmul") {
    return { input: draw(size ** 2, 1), weight: draw(size ** 2, 2), outputGradient: new Float32Array(0) };
  }
  const images = batch * size ** 2 * channels;
  return { input: draw(images, 1), weight: draw(9 * channels ** 2, 2), outputGradient: draw(images, 3) };
}

/** Times an operation on one library and checks its result; null if the library does not offer it. */
export async function measureOperation(
  benchmark: OperationCase,
  prepare: Prepare,
): Promise<OperationResult | null> {
  const operands = operandsOf(benchmark);
  const prepared = await prepare(benchmark, operands);
  if (!prepared) return null;
  const times = await timeCalls(prepared.call, prepared.wait);
  return { ...times, error: errorOf(benchmark, operands, await prepared.result()) };
}

/** Number of values that are checked, spread over the result. */
const checks = 97;

/** Largest difference of a result from float64, relative to the largest value. */
export function errorOf(benchmark: OperationCase, operands: Operands, result: Float32Array): number {
  let [error, scale] = [0, 0];
  for (let k = 0; k < checks; k++) {
    const index = Math.floor((k + 0.5) / checks * result.length);
    const expected = valueAt(benchmark, operands, index);
    error = Math.max(error, Math.abs(result[index]! - expected));
    scale = Math.max(scale, Math.abs(expected));
  }
  return error / scale;
}

/** One value of the result, in float64. */
function valueAt(
  { operation, batch, channels, size }: OperationCase,
  { input, weight, outputGradient }: Operands,
  index: number,
): number {
  let sum = 0;
  if (operation === "matmul") {
    const [row, column] = [Math.floor(index / size), index % size];
    for (let k = 0; k < size; k++) sum += input[row * size + k]! * weight[k * size + column]!;
    return sum;
  }
  const pixel = (image: number, y: number, x: number) => ((image * size + y) * size + x) * channels;
  const inside = (y: number, x: number) => y >= 0 && y < size && x >= 0 && x < size;
  if (operation === "weight") {
    const [tap, from, to] = [
      Math.floor(index / channels ** 2),
      Math.floor(index / channels) % channels,
      index % channels,
    ];
    const [dy, dx] = [Math.floor(tap / 3) - 1, tap % 3 - 1];
    for (let image = 0; image < batch; image++) {
      for (let y = 0; y < size; y++) {
        for (let x = 0; x < size; x++) {
          if (!inside(y + dy, x + dx)) continue;
          sum += input[pixel(image, y + dy, x + dx) + from]! * outputGradient[pixel(image, y, x) + to]!;
        }
      }
    }
    return sum;
  }
  const [channel, place] = [index % channels, Math.floor(index / channels)];
  const [image, y, x] = [Math.floor(place / size ** 2), Math.floor(place / size) % size, place % size];
  for (let tap = 0; tap < 9; tap++) {
    const sign = operation === "forward" ? 1 : -1;
    const [sy, sx] = [y + sign * (Math.floor(tap / 3) - 1), x + sign * (tap % 3 - 1)];
    if (!inside(sy, sx)) continue;
    for (let other = 0; other < channels; other++) {
      sum += operation === "forward"
        ? input[pixel(image, sy, sx) + other]! * weight[(tap * channels + other) * channels + channel]!
        : outputGradient[pixel(image, sy, sx) + other]! *
          weight[(tap * channels + channel) * channels + other]!;
    }
  }
  return sum;
}
