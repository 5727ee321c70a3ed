/** The case that all libraries compute: WRN-10-1 with the same parameters on the same images. */

import type { Architecture } from "../src/nn/wide_resnet.ts";
import { Purpose, RandomStream } from "../src/random/philox.ts";
import { median } from "./statistics.ts";

export const architecture: Architecture = {
  depth: 10,
  width: 1,
  classes: 10,
  channels: 3,
  imageSize: 32,
  norm: "batch",
  dropout: 0,
  unconditional: false,
};
/** Loss and gradient of all parameters (training), or the gradient of Σ log p̃ by the images (a step of SGLD). */
export type Subject = "parameters" | "images";

/** The subject that the command line names. */
export function subjectOf([name]: readonly string[]): Subject {
  if (name === "parameters" || name === "images") return name;
  throw new Error("name what the gradient is by: parameters or images");
}

export const batch = 64;
export const seed = 1;

/** Random images `[64, 32, 32, 3]` in [−1, 1], and labels. */
export function inputs(): { images: Float32Array; labels: Uint32Array } {
  const stream = new RandomStream(seed, Purpose.sampling, 0);
  return {
    images: Float32Array.from({ length: batch * 3072 }, (_, i) => 2 * stream.uniform(i) - 1),
    labels: Uint32Array.from({ length: batch }, (_, i) => i % 10),
  };
}

/** ‖values‖₂ */
export function norm(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0));
}

/** Calls between two waits, so that the wait's polling does not count. */
const callsPerWait = 3;
/** Timed rounds of calls. */
const rounds = 5;

/** Milliseconds of the first call, and the median of later ones. */
export async function timeCalls(
  call: () => void,
  wait: () => Promise<void>,
): Promise<{ first: number; median: number }> {
  const time = async (calls: number) => {
    const start = performance.now();
    for (let i = 0; i < calls; i++) call();
    await wait();
    return (performance.now() - start) / calls;
  };
  const first = await time(1);
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) times.push(await time(callsPerWait));
  return { first, median: median(times) };
}
