import { conv2dPatch, gradientConvolution } from "../../../kernels/conv2d/patch.ts";
import { conv2dTurnWeight } from "../../../kernels/conv2d/turn_weight.ts";
import type { Conv2dAlgorithms } from "./algorithm.ts";

/** A 3×3 convolution of stride 1 in patches. */
export const patchForward: Conv2dAlgorithms["forward"] = {
  name: "patch",
  launch: (context, shape, operands) =>
    context.launch(conv2dPatch, { ...shape, addBias: true, accumulate: false }, operands),
};

/**
 * Its gradient with respect to the input: the convolution of the gradient with respect to the output with rotated
 * weights, by the same pipeline.
 */
export const patchGradientInput: Conv2dAlgorithms["gradientInput"] = {
  name: "patch",
  launch(context, shape, { outputGradient, weight, inputGradient }) {
    const { kernel, inChannels, outChannels, accumulate } = shape;
    using turned = context.empty([kernel, kernel, outChannels, inChannels]);
    context.launch(conv2dTurnWeight, shape, { weight, turned });
    const backwards = { ...gradientConvolution(shape), addBias: false, accumulate };
    const operands = { input: outputGradient, weight: turned, bias: turned, output: inputGradient };
    context.launch(conv2dPatch, backwards, operands);
  },
};
