import wgsl from "../../shaders/conv2d_forward.wgsl" with { type: "text" };
import fewWgsl from "../../shaders/conv2d_forward_few.wgsl" with { type: "text" };
import { conv2dConstants, type Conv2dShape, conv2dSizes } from "./conv2d_shape.ts";
import { type Binding, bytes32, foldWorkgroups, type Kernel } from "./kernel.ts";

type Names = "input" | "weight" | "bias" | "output";

const bindings: readonly Binding<Conv2dShape, Names>[] = [
  { name: "input", access: "read", bytes: (shape) => bytes32(conv2dSizes(shape).input) },
  { name: "weight", access: "read", bytes: (shape) => bytes32(conv2dSizes(shape).weight) },
  { name: "bias", access: "read", bytes: ({ outChannels }) => bytes32(outChannels) },
  { name: "output", access: "read-write", bytes: (shape) => bytes32(conv2dSizes(shape).output) },
];

/** Invocations for tiles of so many pixels and output channels, in workgroups of 8. */
function tiles(shape: Conv2dShape, pixels: number, channels: number): [number, number, number] {
  const outPixels = conv2dSizes(shape).output / shape.outChannels;
  return foldWorkgroups(Math.ceil(outPixels / pixels) * Math.ceil(shape.outChannels / channels), 8);
}

/**
 * Convolution with bias of images with a multiple of 4 channels.
 * @throws {RangeError} unless the kernel is 1×1 or 3×3 and the channels are multiples of 4.
 * @cost kernel² · inChannels multiply-adds an output value, and a load of 4 values for every 32 of them. An invocation
 *   computes 16 pixels × 16 channels.
 * @example
 * ```ts
 * import { conv2dForward, conv2dSizes, run } from "sada-jem/kernels";
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
 * const { input, weight, output: length } = conv2dSizes(shape);
 * const { output } = await run(conv2dForward, shape, {
 *   input: Array(input).fill(1),
 *   weight: Array(weight).fill(1),
 *   bias: [0, 0, 0, 100],
 *   output: length,
 * });
 * // The first pixel meets a window of 2×2 pixels × 4 channels, the one in the centre 3×3.
 * assert.deepEqual([...output.slice(0, 4)], [16, 16, 16, 116]);
 * assert.deepEqual([...output.slice(16, 20)], [36, 36, 36, 136]);
 * ```
 */
export const conv2dForward: Kernel<Conv2dShape, Names> = {
  name: "conv2d_forward",
  wgsl,
  bindings,
  constants: (shape) => conv2dConstants(shape, false),
  workgroups: (shape) => tiles(shape, 16, 16),
};

/**
 * Convolution with bias of images with any number of channels.
 * @throws {RangeError} unless the kernel is 1×1 or 3×3 and the output channels are a multiple of 4.
 * @cost kernel² · inChannels multiply-adds an output value. An invocation computes 8 pixels × 16 channels.
 * @example
 * ```ts
 * import { conv2dForwardFew, run } from "sada-jem/kernels";
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
 * const { output } = await run(conv2dForwardFew, shape, {
 *   input: [1, 2, 3, 4, 5, 6, 7, 8, 9],
 *   // Four filters: for each of the 3×3 taps their weights, here the pixel itself and its left and upper neighbours.
 *   weight: [0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, ...Array(16).fill(0)],
 *   bias: [0, 0, 0, 7],
 *   output: 36,
 * });
 * assert.deepEqual([...output.slice(16, 20)], [5, 4, 2, 7]);
 * ```
 */
export const conv2dForwardFew: Kernel<Conv2dShape, Names> = {
  name: "conv2d_forward_few",
  wgsl: fewWgsl,
  bindings,
  constants: (shape) => conv2dConstants(shape, true),
  workgroups: (shape) => tiles(shape, 8, 16),
};
