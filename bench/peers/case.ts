/** The operations that all libraries compute, on the same numbers, and what their results must be. */

import { RandomStream } from "../../src/random/philox.ts";
import { median } from "../statistics.ts";

/** A 3×3 convolution of stride 1 that keeps the size, or the gradient of one, or a product of square matrices. */
export interface Case {
  readonly operation: "forward" | "input" | "weight" | "matmul";
  readonly batch: number;
  readonly channels: number;
  /** Height and width of the maps, or the side of the matrices. */
  readonly size: number;
}

/** Operands by name, images `[N, H, W, C]`, weights `[3, 3, in, out]`, matrices row by row. */
export type Operands = Readonly<Record<"input" | "weight" | "outputGradient", Float32Array<ArrayBuffer>>>;

/** A case on one library. */
export interface Prepared {
  /** Submits the operation once. */
  readonly call: () => void | Promise<void>;
  /** Waits until all that was submitted is done. */
  readonly wait: () => Promise<void>;
  /** The latest result, in this project's layout. */
  readonly result: () => Promise<Float32Array>;
}

/** A library's side of the benchmark; undefined if it does not offer the operation. */
export type Prepare = (benchmark: Case, operands: Operands) => Promise<Prepared | undefined>;

/** What a case took. */
export interface Measured {
  /** Milliseconds of a call. */
  readonly median: number;
  /** Milliseconds of the first call. */
  readonly first: number;
  /** Largest difference from float64, relative to the largest value, over some of the results. */
  readonly error: number;
}

/** The case that a command line names: `forward 16 64 16`. */
export function parseCase([operation, batch, channels, size]: readonly string[]): Case {
  return {
    operation: operation as Case["operation"],
    batch: Number(batch),
    channels: Number(channels),
    size: Number(size),
  };
}

/** Floating-point operations of a case. */
export function operations({ operation, batch, channels, size }: Case): number {
  return operation === "matmul" ? 2 * size ** 3 : 2 * 9 * batch * size ** 2 * channels ** 2;
}

/** Random operands in [−1, 1). */
export function operandsOf({ operation, batch, channels, size }: Case): Operands {
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

/** Time between two waits, so that their polling hardly counts, in milliseconds. */
const longEnough = 100;
const rounds = 7;
/** Rounds at least, and time after which no further one begins, in milliseconds. */
const [leastRounds, enoughTime] = [3, 8000];

/** Times a prepared case and checks its result. */
export async function measure(benchmark: Case, operands: Operands, prepared: Prepared): Promise<Measured> {
  const time = async (calls: number) => {
    const start = performance.now();
    for (let i = 0; i < calls; i++) await prepared.call();
    await prepared.wait();
    return (performance.now() - start) / calls;
  };
  const first = await time(1);
  const calls = Math.ceil(Math.min(20, longEnough / await time(1)));
  const times: number[] = [];
  const began = performance.now();
  while (times.length < leastRounds || (times.length < rounds && performance.now() - began < enoughTime)) {
    times.push(await time(calls));
  }
  const result = await prepared.result();
  return { first, median: median(times), error: errorOf(benchmark, operands, result) };
}

/** Values that are checked, spread over the result. */
const checks = 97;

function errorOf(benchmark: Case, operands: Operands, result: Float32Array): number {
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
  { operation, batch, channels, size }: Case,
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
