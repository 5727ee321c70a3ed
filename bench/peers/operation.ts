/** This project's kernels, chosen as its operations choose them. */

import { Gpu } from "../../src/gpu/gpu.ts";
import { Context } from "../../src/tensor/context.ts";
import type { Plan } from "../../src/gpu/plan.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { conv2dChoice } from "../../src/tensor/operations/conv2d/choice.ts";
import type { Prepare } from "./operation_case.ts";

/** In a recorded plan, as in training. */
export const prepare: Prepare = async ({ operation, batch, channels, size }, operands) => {
  const gpu = await Gpu.request();
  const context = new Context(gpu);
  const tensor = (values: Float32Array) => context.from(values, [values.length]).disown();
  const [input, weight] = [tensor(operands.input), tensor(operands.weight)];
  const outputGradient = operation === "matmul" ? input : tensor(operands.outputGradient);
  const convolution = {
    ...{ batch, height: size, width: size, inChannels: channels, outChannels: channels },
    ...{ kernel: 3, stride: 1, padding: 1 },
  };
  // As `linear` multiplies matrices.
  const product = {
    ...{ batch: size, height: 1, width: 1, inChannels: size, outChannels: size },
    ...{ kernel: 1, stride: 1, padding: 0 },
  };
  const shape = operation === "matmul" ? product : convolution;
  const algorithms = conv2dChoice(context);
  const gradientShape = { ...shape, accumulate: false };
  const images = batch * size ** 2 * channels;
  const results = { forward: images, input: images, weight: 9 * channels ** 2, matmul: size ** 2 } as const;
  const result: Tensor = context.zeros([results[operation]]).disown();
  const plan: Plan = context.capture(() => {
    if (operation === "forward" || operation === "matmul") {
      const bias = context.zeros([shape.outChannels]);
      algorithms.of("forward", shape).launch(context, shape, { input, weight, bias, output: result });
    } else if (operation === "input") {
      const operandsByName = { outputGradient, weight, inputGradient: result };
      algorithms.of("gradientInput", shape).launch(context, gradientShape, operandsByName);
    } else {
      const operandsByName = { input, outputGradient, weightGradient: result };
      algorithms.of("gradientWeight", shape).launch(context, gradientShape, operandsByName);
    }
  });
  return {
    call: () => gpu.run(plan),
    wait: () => gpu.device.queue.onSubmittedWorkDone(),
    result: () => result.read(),
  };
};
