import wgsl from "../../shaders/conv2d_gradient_weight.wgsl" with { type: "text" };
import fewWgsl from "../../shaders/conv2d_gradient_weight_few.wgsl" with { type: "text" };
import { conv2dConstants, type Conv2dShape, conv2dSizes, outputSize } from "./conv2d_shape.ts";
import { type Binding, bytes32, foldWorkgroups, type Kernel } from "./kernel.ts";

type Names = "input" | "outputGradient" | "partials";

/**
 * Output pixels that one invocation sums at least: with fewer, adding up the parts costs more than it gains. Far below
 * the 65,535 iterations after which some drivers (lavapipe of Mesa 22) end a loop without an error.
 */
const leastPixels = 256;
/** Invocations that keep any device busy; more parts only cost memory. */
const enoughInvocations = 8192;
const mostPixels = 32_768;

/** Tiles of weights, each of them an invocation in every part. */
function weightTiles({ inChannels, outChannels }: Conv2dShape): number {
  return inChannels % 4 !== 0
    ? inChannels * outChannels / 4
    : Math.ceil(inChannels / 4) * Math.ceil(outChannels / 16);
}

function rowsPerSplit(shape: Conv2dShape): number {
  const { height, width } = outputSize(shape);
  const rows = shape.batch * height;
  const least = Math.ceil(leastPixels / width);
  const enough = Math.ceil(rows * weightTiles(shape) / enoughInvocations);
  return Math.min(rows, Math.max(least, enough), Math.max(1, Math.floor(mostPixels / width)));
}

/** Parts into which the sum over the output's rows is split. */
export function gradientWeightSplits(shape: Conv2dShape): number {
  return Math.ceil(shape.batch * outputSize(shape).height / rowsPerSplit(shape));
}

const bindings: readonly Binding<Conv2dShape, Names>[] = [
  { name: "input", access: "read", bytes: (shape) => bytes32(conv2dSizes(shape).input) },
  { name: "outputGradient", access: "read", bytes: (shape) => bytes32(conv2dSizes(shape).output) },
  {
    name: "partials",
    access: "read-write",
    bytes: (shape) => bytes32(gradientWeightSplits(shape) * conv2dSizes(shape).weight),
  },
];

const workgroups = (shape: Conv2dShape) =>
  foldWorkgroups(gradientWeightSplits(shape) * weightTiles(shape), 8);

/**
 * Gradient of a convolution by its weight, in parts `[splits, kernel, kernel, Cin, Cout]` that `sumPartials` adds up; for
 * images of a multiple of 4 channels.
 * @throws {RangeError} unless the kernel is 1×1 or 3×3 and the channels are multiples of 4.
 * @cost A multiply-add for each output pixel and weight. An invocation sums all taps × 4 input × 16 output channels
 *   over part of the rows.
 * @example
 * ```ts
 * import { conv2dGradientWeight, conv2dSizes, gradientWeightSplits, run } from "sada-jem/kernels";
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
 * assert.equal(gradientWeightSplits(shape), 1); // so the first part is the gradient
 * const { partials } = await run(conv2dGradientWeight, shape, {
 *   input: Array(input).fill(1),
 *   outputGradient: Array(output).fill(1),
 *   partials: weight,
 * });
 * // The tap in the corner meets 4 pixels, the one in the centre 9.
 * assert.equal(partials[0], 4);
 * assert.equal(partials[4 * shape.inChannels * shape.outChannels], 9);
 * ```
 */
export const conv2dGradientWeight: Kernel<Conv2dShape, Names> = {
  name: "conv2d_gradient_weight",
  wgsl,
  bindings,
  constants: (shape) => ({ ...conv2dConstants(shape, false), rowsPerSplit: rowsPerSplit(shape) }),
  workgroups,
};

/**
 * {@link conv2dGradientWeight} for images of any number of channels.
 * @throws {RangeError} unless the kernel is 1×1 or 3×3 and the output channels are a multiple of 4.
 * @cost A multiply-add for each output pixel and weight. An invocation sums all taps × 1 input × 4 output channels
 *   over part of the rows.
 * @example
 * ```ts
 * import { conv2dGradientWeightFew, conv2dSizes, gradientWeightSplits, run } from "sada-jem/kernels";
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
 * assert.equal(gradientWeightSplits(shape), 1); // so the first part is the gradient
 * const { partials } = await run(conv2dGradientWeightFew, shape, {
 *   input: Array(input).fill(1),
 *   outputGradient: Array(output).fill(1),
 *   partials: weight,
 * });
 * // The tap in the corner meets 4 pixels, the one in the centre 9.
 * assert.equal(partials[0], 4);
 * assert.equal(partials[4 * shape.inChannels * shape.outChannels], 9);
 * ```
 */
export const conv2dGradientWeightFew: Kernel<Conv2dShape, Names> = {
  name: "conv2d_gradient_weight_few",
  wgsl: fewWgsl,
  bindings,
  constants: (shape) => ({ ...conv2dConstants(shape, true), rowsPerSplit: rowsPerSplit(shape) }),
  workgroups,
};
