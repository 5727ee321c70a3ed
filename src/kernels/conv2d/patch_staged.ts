import wgsl from "../../../shaders/conv2d/patch_staged.wgsl" with { type: "text" };
import { type Conv2dForward, conv2dForward } from "./forward.ts";
import { type Conv2dGradientInput, conv2dGradientInput } from "./gradient_input.ts";
import { takesPatches } from "./patch.ts";
import { conv2dConstants, type Conv2dShape, outputSize } from "./shape.ts";
import { foldWorkgroups, requireShape } from "../kernel.ts";

/** Height and width of a map, and its channels. */
interface FeatureMap {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/**
 * Invocations of a workgroup, pixels of a row that each computes, and columns of a patch, as the shader defines them.
 */
const [threads, pixelsPerThread, columns] = [64, 8, 32] as const;
/** Rows and columns around a patch, and rows that a workgroup loads at a time. */
const [border, rowsPerLoad] = [2, 2] as const;
const mostChannels = 16;

const inputOf = ({ height, width, inChannels: channels }: Conv2dShape): FeatureMap => ({
  height,
  width,
  channels,
});
const outputOf = (shape: Conv2dShape): FeatureMap => ({ ...outputSize(shape), channels: shape.outChannels });

/**
 * The number of invocations among which a result's channels are divided, and the number of vectors that each computes.
 */
function division(
  { channels }: FeatureMap,
): { readonly channelThreads: number; readonly channelVectors: number } {
  return { channelThreads: channels > 4 ? 2 : 1, channelVectors: channels > 8 ? 2 : 1 };
}

const rowsOf = (map: FeatureMap) => threads * pixelsPerThread / columns / division(map).channelThreads;
const patches = (map: FeatureMap) => Math.ceil(map.height / rowsOf(map)) * Math.ceil(map.width / columns);

/** Whether the result has few enough channels, and fills three quarters of its patches. */
function suits(shape: Conv2dShape, result: FeatureMap): boolean {
  const covered = patches(result) * rowsOf(result) * columns;
  return takesPatches(shape) && result.channels <= mostChannels &&
    4 * result.height * result.width >= 3 * covered;
}

/** Whether {@link conv2dForwardPatch} can compute a convolution, and its output fills three quarters of the patches. */
export const suitsForwardPatch = (shape: Conv2dShape): boolean => suits(shape, outputOf(shape));

/** Whether {@link conv2dGradientInputPatch} can compute a gradient, and the input fills three quarters of the patches. */
export const suitsGradientInputPatch = (shape: Conv2dShape): boolean => suits(shape, inputOf(shape));

function constants(
  name: string,
  shape: Conv2dShape,
  source: FeatureMap,
  result: FeatureMap,
): Record<string, number> {
  conv2dConstants(shape);
  const { kernel, stride, padding } = shape;
  requireShape(takesPatches(shape), name, `kernel ${kernel}, stride ${stride}, padding ${padding}`);
  requireShape(
    result.channels <= mostChannels,
    name,
    `at most ${mostChannels} channels, not ${result.channels}`,
  );
  return {
    sourceHeight: source.height,
    sourceWidth: source.width,
    sourceChannels: source.channels,
    height: result.height,
    width: result.width,
    resultChannels: result.channels,
    padding,
    ...division(result),
    loads: (rowsOf(result) + border) / rowsPerLoad,
  };
}

/**
 * {@link conv2dForward} for 3×3 kernels of stride 1 to at most 16 channels, from patches of the input staged in
 * workgroup memory: for GPUs.
 * @throws {RangeError} unless the kernel is 3×3, the stride 1, the padding at most 2, the channels multiples of 4, and
 *   the output channels at most 16.
 * @cost 9 · inChannels multiply-adds for an output value. An invocation computes 8 pixels × 8 channels (4 if there are
 *   at most 8). It loads a vector from workgroup memory for every 5 multiply-adds of vectors, and one of the input from
 *   memory for all nine taps.
 * @example
 * ```ts
 * import { conv2dForwardPatch, conv2dSizes, run } from "sada-jem/kernels";
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
 * const { output } = await run(conv2dForwardPatch, shape, {
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
export const conv2dForwardPatch: Conv2dForward = {
  name: "conv2d_forward_patch",
  wgsl,
  entryPoint: "forward",
  bindings: conv2dForward.bindings,
  constants: (shape) => constants("conv2d_forward_patch", shape, inputOf(shape), outputOf(shape)),
  workgroups: (shape) => foldWorkgroups(shape.batch * patches(outputOf(shape)), 1),
};

/**
 * {@link conv2dGradientInput} for 3×3 kernels of stride 1 and inputs of at most 16 channels, from patches of the
 * gradient with respect to the output, staged in workgroup memory: for GPUs.
 * @throws {RangeError} unless the kernel is 3×3, the stride 1, the padding at most 2, the channels multiples of 4, and
 *   the input channels at most 16.
 * @cost 9 · outChannels multiply-adds for a value of the gradient. An invocation computes 8 pixels × 8 channels (4 if
 *   there are at most 8), and loads a vector of the gradient with respect to the output from memory once for all nine
 *   taps.
 * @example
 * ```ts
 * import { conv2dGradientInputPatch, conv2dSizes, run } from "sada-jem/kernels";
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
 * const { inputGradient } = await run(conv2dGradientInputPatch, { ...shape, accumulate: false }, {
 *   outputGradient: Array(output).fill(1),
 *   weight: Array(weight).fill(1),
 *   inputGradient: input,
 * });
 * // The first pixel is in the windows of 4 pixels × 4 channels, the one in the centre in those of all 9.
 * assert.equal(inputGradient[0], 16);
 * assert.equal(inputGradient[4 * 4], 36);
 * ```
 */
export const conv2dGradientInputPatch: Conv2dGradientInput = {
  name: "conv2d_gradient_input_patch",
  wgsl,
  entryPoint: "gradientInput",
  bindings: conv2dGradientInput.bindings,
  constants: (shape) => ({
    ...constants("conv2d_gradient_input_patch", shape, outputOf(shape), inputOf(shape)),
    accumulate: Number(shape.accumulate),
  }),
  workgroups: (shape) => foldWorkgroups(shape.batch * patches(inputOf(shape)), 1),
};
