/** What is recorded to create its pipelines: an iteration of a training, or a peer's convolutions. */

import { compile } from "../../../src/kernels/compile.ts";
import { conv2dForward } from "../../../src/kernels/conv2d/forward.ts";
import { conv2dGradientInput } from "../../../src/kernels/conv2d/gradient_input.ts";
import { conv2dGradientWeight } from "../../../src/kernels/conv2d/gradient_weight.ts";
import { suited } from "../../../src/kernels/kernel.ts";
import type { Gpu } from "../../../src/gpu/gpu.ts";
import { Context } from "../../../src/tensor/context.ts";
import { Trainer } from "../../../src/train/trainer.ts";
import { runNamed } from "../../lib/iteration_case.ts";
import { operandsOf } from "../../peers/operation_case.ts";
import type { Recording } from "./record.ts";

/** What can be captured. The short iteration creates the same pipelines as the published one in a sixth of the time. */
export const subjects = ["iteration", "short-iteration", "tensorflow.js", "jax-js"] as const;

/** One of {@link subjects}. */
export type Subject = typeof subjects[number];

/** Residual blocks repeat the same shapes, so a network of one block for each width has all of them. */
const shortDepth = 16;

/** Records an iteration of the published network, WRN-28-10, without running it. */
export async function recordIteration(gpu: Gpu, recording: Recording, isShort: boolean): Promise<void> {
  const { configuration, dataset } = await runNamed("wrn-28-10");
  const depth = isShort ? shortDepth : configuration.depth;
  const trainer = new Trainer(new Context(gpu), {
    ...configuration,
    depth,
    steps: isShort ? 1 : configuration.steps,
  }, dataset);
  for (const command of trainer.record().commands) {
    if (command.kind === "dispatch") recording.byPipeline.get(command.pipeline)!.dispatches++;
  }
  compileDirectConvolutions(gpu);
}

/** The direct convolutions where the iteration uses Winograd's algorithm; `./run tune` may choose them. */
function compileDirectConvolutions({ device, kind }: Gpu): void {
  for (const [channels, size] of [[160, 32], [320, 16], [640, 8]] as const) {
    const square = { height: size, width: size, inChannels: channels, outChannels: channels };
    const shape = { batch: 64, ...square, kernel: 3, stride: 1, padding: 1 };
    compile(device, suited(conv2dForward, kind), shape);
    compile(device, suited(conv2dGradientInput, kind), { ...shape, accumulate: false });
    compile(device, suited(conv2dGradientWeight, kind), { ...shape, accumulate: false });
  }
}

/**
 * Runs a 3×3 convolution of 160 channels and its gradients on a peer, with a small batch, since the kernels are the
 * same.
 */
export async function runPeer(peer: Exclude<Subject, "iteration" | "short-iteration">, recording: Recording) {
  const { prepare } = peer === "jax-js"
    ? await import("../../peers/operation_jax.ts")
    : await import("../../peers/operation_tensorflow.ts");
  const labelled = [];
  for (const operation of ["forward", "input", "weight"] as const) {
    const before = recording.pipelines.length;
    const benchmark = { operation, batch: 4, channels: 160, size: 32 };
    const prepared = (await prepare(benchmark, operandsOf(benchmark)))!;
    await prepared.call();
    await prepared.wait();
    for (const pipeline of recording.pipelines.slice(before)) {
      labelled.push({ ...pipeline, label: `${peer} ${operation}: ${pipeline.label}` });
    }
  }
  return labelled;
}
