/**
 * Measures kernels that are bound by the memory's bandwidth, launched as in training. Prints the bytes that each must
 * move in a second, as a share of what copies move.
 */

import { print } from "../../src/cli/command.ts";
import { table } from "../../src/cli/format.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { adamStep } from "../../src/kernels/optimiser/adam_step.ts";
import { add } from "../../src/kernels/vector/add.ts";
import type { Kernel } from "../../src/kernels/kernel.ts";
import { leakyRelu, leakyReluBackward } from "../../src/kernels/vector/leaky_relu.ts";
import { normApply } from "../../src/kernels/norm/apply.ts";
import { normBackwardApply } from "../../src/kernels/norm/backward_apply.ts";
import { normBackwardMoments } from "../../src/kernels/norm/backward_moments.ts";
import { normMoments } from "../../src/kernels/norm/moments.ts";
import { samAscent } from "../../src/kernels/optimiser/sam_ascent.ts";
import { sgdStep } from "../../src/kernels/optimiser/sgd_step.ts";
import { sgldStep } from "../../src/kernels/chains/sgld_step.ts";
import { Context } from "../../src/tensor/context.ts";
import { bench } from "../lib/bench.ts";
import { bestTime, measureBandwidth } from "../peers/roof.ts";

const launchesPerRun = 8;
const channels = 160;

const gpu = await Gpu.request();
const context = new Context(gpu);
const ofCopies = await measureBandwidth(gpu);
// More than a GPU's cache holds.
const rows = gpu.adapterFamily === "gpu" ? 2 ** 18 : 2 ** 13;
const length = rows * channels;
const results: string[][] = [];

/**
 * Measures a kernel over zeros.
 * @param updated the operands that are read and written
 */
async function measure<Shape, Name extends string>(
  kernel: Kernel<Shape, Name>,
  shape: Shape,
  updated: readonly Name[] = [],
): Promise<void> {
  const operands = kernel.bindings.map(({ name, bytes }) =>
    [name, context.zeros([bytes(shape) / 4])] as const
  );
  gpu.submit();
  const byName = Object.fromEntries(operands) as Record<Name, typeof operands[number][1]>;
  const plan = gpu.capture(() => {
    for (let i = 0; i < launchesPerRun; i++) context.launch(kernel, shape, byName);
  });
  const seconds = await bestTime(gpu, plan) / launchesPerRun;
  gpu.throwIfFailed();
  const times = (name: Name) => updated.includes(name) ? 2 : 1;
  const bytes = kernel.bindings.reduce((sum, { name, bytes }) => sum + times(name) * bytes(shape), 0);
  const bandwidth = bytes / seconds / 1e9;
  results.push([
    kernel.name,
    (bytes / 1e6).toFixed(0),
    (1000 * seconds).toFixed(3),
    bandwidth.toFixed(1),
    `${(100 * bandwidth / ofCopies).toFixed(0)} %`,
  ]);
  plan.destroy();
  for (const [, tensor] of operands) tensor.dispose();
}

await bench("bandwidth", async () => {
  const vector = { length };
  const norm = { groups: 1, rows, channels };
  const activated = { ...norm, slope: 0.2 };
  const written = { accumulate: false };
  await measure(add, { ...vector, factor: 1 });
  await measure(leakyRelu, { ...vector, slope: 0.2 });
  await measure(leakyReluBackward, { ...vector, slope: 0.2, ...written });
  await measure(normMoments, norm);
  await measure(normApply, activated);
  await measure(normBackwardMoments, activated);
  await measure(normBackwardApply, { ...activated, ownStatistics: true, scaledSums: false, ...written });
  await measure(sgdStep, { ...vector, momentum: 0.9, weightDecay: 5e-4 }, ["velocity", "parameters"]);
  await measure(
    adamStep,
    { ...vector, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
    ["firstMoment", "secondMoment", "parameters"],
  );
  await measure(samAscent, { ...vector, adaptive: true }, ["parameters"]);
  await measure(sgldStep, {
    ...vector,
    ...{ stepSize: 1, gradientClamp: 0, innerSteps: 0, innerStepSize: 0, innerClamp: 0, noiseScale: 0.01 },
  });
  print(
    `${gpu.adapterName}: copies ${ofCopies.toFixed(0)} GB/s\n\n` +
      table([["kernel", "MB", "ms", "GB/s", "of copies"], ...results]),
  );
});
