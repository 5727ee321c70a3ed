import wgsl from "../../shaders/conv2d_gradient_input.wgsl" with { type: "text" };
import fewWgsl from "../../shaders/conv2d_gradient_input_few.wgsl" with { type: "text" };
import { conv2dConstants, type Conv2dShape, conv2dSizes } from "./conv2d_shape.ts";
import { type Binding, bytes32, foldWorkgroups, type Kernel } from "./kernel.ts";

/** A convolution, and whether its input's gradient is added to what is there. */
export interface Conv2dGradientInputShape extends Conv2dShape {
  readonly accumulate: boolean;
}

type Names = "outputGradient" | "weight" | "inputGradient";

const bindings: readonly Binding<Conv2dGradientInputShape, Names>[] = [
  { name: "outputGradient", access: "read", bytes: (shape) => bytes32(conv2dSizes(shape).output) },
  { name: "weight", access: "read", bytes: (shape) => bytes32(conv2dSizes(shape).weight) },
  { name: "inputGradient", access: "read-write", bytes: (shape) => bytes32(conv2dSizes(shape).input) },
];

/**
 * Gradient of a convolution by its input, of a multiple of 4 channels.
 * @throws {RangeError} unless the kernel is 1×1 or 3×3 and the channels are multiples of 4.
 * @cost kernel² · outChannels / stride² multiply-adds a value of the gradient. An invocation computes 16 pixels × 16
 *   channels.
 * @example
 * ```ts
 * import { conv2dGradientInput, conv2dSizes, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const shape = {
 *   batch: 1,
 *   height: 3,
 *   width: 3,
 *   inChannels: 4,
 *   outChannels: 4,
 *   kernel: 3,
 *   stride: 1,
 *   padding: 1,
 * };
 * const { input, weight, output } = conv2dSizes(shape);
 * const { inputGradient } = await run(conv2dGradientInput, { ...shape, accumulate: false }, {
 *   outputGradient: Array(output).fill(1),
 *   weight: Array(weight).fill(1),
 *   inputGradient: input,
 * });
 * // The first pixel is in the windows of 4 pixels × 4 channels, the one in the centre in those of all 9.
 * assert.equal(inputGradient[0], 16);
 * assert.equal(inputGradient[4 * 4], 36);
 * ```
 */
export const conv2dGradientInput: Kernel<Conv2dGradientInputShape, Names> = {
  name: "conv2d_gradient_input",
  wgsl,
  bindings,
  constants: (shape) => ({ ...conv2dConstants(shape, false), accumulate: Number(shape.accumulate) }),
  workgroups: ({ batch, height, width, inChannels, stride }) => {
    const phasePixels = batch * Math.ceil(height / stride) * Math.ceil(width / stride);
    return foldWorkgroups(stride ** 2 * Math.ceil(phasePixels / 16) * Math.ceil(inChannels / 16), 8);
  },
};

/**
 * Gradient of a convolution by its input, of any number of channels.
 * @throws {RangeError} unless the kernel is 1×1 or 3×3 and the output channels are a multiple of 4.
 * @cost kernel² · outChannels / stride² multiply-adds a value of the gradient. An invocation computes 4 pixels × 3
 *   channels.
 * @example
 * ```ts
 * import { conv2dGradientInputFew, conv2dSizes, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const shape = {
 *   batch: 1,
 *   height: 3,
 *   width: 3,
 *   inChannels: 1,
 *   outChannels: 4,
 *   kernel: 3,
 *   stride: 1,
 *   padding: 1,
 * };
 * const { input, weight, output } = conv2dSizes(shape);
 * const { inputGradient } = await run(conv2dGradientInputFew, { ...shape, accumulate: false }, {
 *   outputGradient: Array(output).fill(1),
 *   weight: Array(weight).fill(1),
 *   inputGradient: input,
 * });
 * // The first pixel is in the windows of 4 pixels × 4 channels, the one in the centre in those of all 9.
 * assert.equal(inputGradient[0], 16);
 * assert.equal(inputGradient[4 * 1], 36);
 * ```
 */
export const conv2dGradientInputFew: Kernel<Conv2dGradientInputShape, Names> = {
  name: "conv2d_gradient_input_few",
  wgsl: fewWgsl,
  bindings,
  constants: (shape) => ({ ...conv2dConstants(shape, true), accumulate: Number(shape.accumulate) }),
  workgroups: ({ batch, height, width, inChannels }) =>
    foldWorkgroups(Math.ceil(batch * height * width / 4) * Math.ceil(inChannels / 3), 8),
};
