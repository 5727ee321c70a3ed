/** A gradient of a Wide ResNet on this project: one recorded plan. */

import { Gpu } from "../../src/gpu/gpu.ts";
import { splitVector } from "../../src/nn/state_dict.ts";
import { frozenTraining, WideResNet } from "../../src/nn/wide_resnet.ts";
import { Context } from "../../src/tensor/context.ts";
import { mean, sum } from "../../src/tensor/operations/reduce.ts";
import { softmaxCrossEntropy } from "../../src/tensor/operations/softmax_cross_entropy.ts";
import { timeCalls } from "../lib/timing.ts";
import {
  architectureOf,
  type GradientCase,
  type GradientResult,
  inputsOf,
  norm,
  seed,
} from "./gradient_case.ts";

/** Times a gradient. */
export async function measureGradient(benchmark: GradientCase): Promise<GradientResult> {
  const { batch, subject } = benchmark;
  const gpu = await Gpu.request();
  const context = new Context(gpu);
  const model = new WideResNet(context, architectureOf(benchmark), seed);
  const { images, labels } = inputsOf(benchmark);
  const x = context.from(images, [batch, 32, 32, 3]);
  const y = context.from(labels, [batch]);
  const { parameters } = model;
  const loss = context.zeros([1]);
  const byImages = context.zeros(x.shape);
  const plan = context.capture(() => {
    parameters.gradients.clear();
    const { value, gradients } = subject === "images"
      ? context.differentiate({ inputs: [x] }, () => sum(model.energyScore(x, frozenTraining)))
      : context.differentiate(
        { parameters: parameters.trainable },
        () => mean(softmaxCrossEntropy(model.classify(x, frozenTraining), y).losses),
      );
    loss.copyFrom(value);
    if (gradients[0]) byImages.copyFrom(gradients[0]);
  });
  const times = await timeCalls(() => gpu.run(plan), () => gpu.device.queue.onSubmittedWorkDone());
  const gradients = subject === "images"
    ? new Map([["images", { data: await byImages.read() }]])
    : splitVector(parameters, (await parameters.gradients.read()).subarray(0, parameters.trainableLength));
  return {
    ...times,
    loss: (await loss.read())[0]!,
    norms: Object.fromEntries([...gradients].map(([name, { data }]) => [name, norm(data)])),
  };
}
