/**
 * Measures 3×3 convolutions directly and by Winograd's algorithm, in turns, and the time of each kernel: `[BATCH]`, 16
 * by default. Prints a table. On a software adapter the processor's time says more than the clock's, because it does
 * not depend on what else the machine does.
 */

import process from "node:process";

import { print, wholeNumber } from "../../src/cli/command.ts";
import { table } from "../../src/cli/format.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import type { Plan } from "../../src/gpu/plan.ts";
import { type KernelTime, profile } from "../../src/gpu/profile.ts";
import { conv2dForward } from "../../src/kernels/conv2d/forward.ts";
import { conv2dGradientInput } from "../../src/kernels/conv2d/gradient_input.ts";
import {
  conv2dGradientWeight,
  conv2dGradientWeightTexture,
} from "../../src/kernels/conv2d/gradient_weight.ts";
import { type Conv2dShape, conv2dSizes } from "../../src/kernels/conv2d/shape.ts";
import { Context } from "../../src/tensor/context.ts";
import {
  byKernel,
  byParts,
  type Direction,
  directions,
} from "../../src/tensor/operations/conv2d/algorithm.ts";
import { patchForward, patchGradientInput } from "../../src/tensor/operations/conv2d/patch.ts";
import {
  winogradForward,
  winogradGradientInput,
  winogradGradientWeight,
} from "../../src/tensor/operations/conv2d/winograd.ts";
import { bench } from "../lib/bench.ts";
import { median } from "../lib/statistics.ts";
import { callsPerWait, timeRound } from "../lib/timing.ts";

const stagedForward = byKernel("staged", conv2dForward);
const stagedGradientInput = byKernel("staged", conv2dGradientInput);
const stagedGradientWeight = byParts("staged", conv2dGradientWeight);
const textureGradientWeight = byParts("texture", conv2dGradientWeightTexture);
const maps = [[32, 32], [64, 16], [128, 8], [160, 32]] as const;
const rounds = 11;

/** The kernels of Winograd's algorithm in each direction: transforms of both operands, products, transform of the result. */
const steps: Readonly<Record<Direction, readonly string[]>> = {
  forward: ["winograd_input", "winograd_weight", "winograd_product", "winograd_output"],
  gradientInput: ["winograd_input", "winograd_weight", "winograd_product", "winograd_output"],
  gradientWeight: [
    "winograd_input",
    "winograd_output_gradient",
    "winograd_weight_product",
    "winograd_weight_gradient",
  ],
};
const names: Readonly<Record<Direction, string>> = {
  forward: "forward",
  gradientInput: "by input",
  gradientWeight: "by weight",
};

/** The ways to compute a convolution or one of its gradients, recorded as plans. */
function plans(context: Context, shape: Conv2dShape, direction: Direction): Plan[] {
  const sizes = conv2dSizes(shape);
  const random = (size: number) =>
    context.from(Float32Array.from({ length: size }, () => 2 * Math.random() - 1), [size]);
  const [input, output, weight] = [random(sizes.input), random(sizes.output), random(sizes.weight)];
  const forward = { input, weight, bias: random(shape.outChannels), output };
  const byInput = { outputGradient: output, weight, inputGradient: input };
  const byWeight = { input, outputGradient: output, weightGradient: weight };
  const onLavapipe = context.gpu.adapterFamily === "lavapipe";
  const written = { ...shape, accumulate: false };
  const ways: Readonly<Record<Direction, readonly (() => void)[]>> = {
    forward: [
      () => (onLavapipe ? patchForward : stagedForward).launch(context, shape, forward),
      () => winogradForward(context, shape, forward, 2),
      () => winogradForward(context, shape, forward, 4),
    ],
    gradientInput: [
      () => (onLavapipe ? patchGradientInput : stagedGradientInput).launch(context, written, byInput),
      () => winogradGradientInput(context, written, byInput, 2),
      () => winogradGradientInput(context, written, byInput, 4),
    ],
    gradientWeight: [
      () => (onLavapipe ? textureGradientWeight : stagedGradientWeight).launch(context, written, byWeight),
      () => winogradGradientWeight(context, written, byWeight, 2),
      () => winogradGradientWeight(context, written, byWeight, 4),
    ],
  };
  return ways[direction].map((way) => context.capture(way));
}

/** Milliseconds of a run of a plan, including the host's work and copies. */
interface Time {
  readonly clock: number;
  /** All cores together. */
  readonly processor: number;
}

/** Medians of runs in turns. */
async function timePlans(gpu: Gpu, plans: readonly Plan[]): Promise<Time[]> {
  const time = async (plan: Plan, calls: number): Promise<Time> => {
    const before = process.cpuUsage();
    const clock = await timeRound(calls, () => gpu.run(plan), () => gpu.device.queue.onSubmittedWorkDone());
    const { user, system } = process.cpuUsage(before);
    return { clock, processor: (user + system) / 1000 / calls };
  };
  const times: Time[][] = plans.map(() => []);
  for (const plan of plans) await time(plan, 1);
  const calls = await callsPerWait(async (calls) => (await time(plans[0]!, calls)).clock);
  for (let round = 0; round < rounds; round++) {
    for (const [i, plan] of plans.entries()) times[i]!.push(await time(plan, calls));
  }
  gpu.throwIfFailed();
  return times.map((all) => ({
    clock: median(all.map(({ clock }) => clock)),
    processor: median(all.map(({ processor }) => processor)),
  }));
}

/**
 * Least milliseconds of a step's dispatches. They are short, so other work on the machine hits some and misses others.
 */
function stepTime(profiles: readonly (readonly KernelTime[])[], step: string): string {
  const times = profiles.map((kernels) =>
    kernels.filter(({ kernel }) => kernel === step || kernel === `${step}_texture`)
      .reduce((sum, { milliseconds }) => sum + milliseconds, 0)
  );
  return Math.min(...times).toFixed(2);
}

await bench("winograd", async (args) => {
  const gpu = await Gpu.request();
  const context = new Context(gpu);
  const batch = wholeNumber("BATCH", args[0] ?? "16", 1)!;
  const rows: string[][] = [];
  for (const direction of directions) {
    for (const [channels, size] of maps) {
      const square = { height: size, width: size, inChannels: channels, outChannels: channels };
      const ways = plans(context, { batch, ...square, kernel: 3, stride: 1, padding: 1 }, direction);
      const times = await timePlans(gpu, ways);
      const [direct] = times;
      for (const [i, name] of ["direct", "F(2×2)", "F(4×4)"].entries()) {
        const profiles: KernelTime[][] = [];
        for (let round = 0; i > 0 && round < rounds; round++) profiles.push(await profile(gpu, ways[i]!));
        rows.push([
          `${names[direction]}, ${channels} → ${channels} @ ${size}²`,
          name,
          times[i]!.clock.toFixed(1),
          (direct!.clock / times[i]!.clock).toFixed(2),
          times[i]!.processor.toFixed(1),
          (direct!.processor / times[i]!.processor).toFixed(2),
          ...steps[direction].map((step) => i === 0 ? "" : stepTime(profiles, step)),
        ]);
      }
      for (const plan of ways) plan.destroy();
    }
  }
  print(`${gpu.adapterName}, batch ${batch}, milliseconds\n`);
  print(table([[
    "convolution",
    "way",
    ...["clock", "gain", "processor", "gain"],
    ...["first operand", "second operand", "products", "result"],
  ], ...rows]));
  gpu.destroy();
});
