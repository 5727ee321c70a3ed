import wgsl from "../../shaders/conv2d_patch.wgsl" with { type: "text" };
import { conv2dForward } from "./conv2d_forward.ts";
import { conv2dGradientInput } from "./conv2d_gradient_input.ts";
import { type Conv2dShape, outputSize } from "./conv2d_shape.ts";
import { foldWorkgroups, requireShape } from "./kernel.ts";

/** Pixels of a tile, as the shader defines it. */
const tile = { height: 8, width: 4 } as const;
/** Channels of a tile. */
const tileChannels = 8;

interface Size {
  readonly height: number;
  readonly width: number;
}

/**
 * Whether the tiles of {@link conv2dForwardPatch} and {@link conv2dGradientInputPatch} suit a convolution: 3×3, stride 1,
 * and a map that fills most of them.
 */
export function suitsPatches({ kernel, stride, padding, inChannels, height, width }: Conv2dShape): boolean {
  const covered = tileCount({ height, width }) * tile.height * tile.width;
  return kernel === 3 && stride === 1 && padding <= 2 && inChannels % 4 === 0 &&
    covered <= 1.5 * height * width;
}

function tileCount({ height, width }: Size): number {
  return Math.ceil(height / tile.height) * Math.ceil(width / tile.width);
}

function constants(
  shape: Conv2dShape,
  source: Size,
  sourceChannels: number,
  result: Size,
  resultChannels: number,
) {
  requireShape(
    suitsPatches({ ...shape, ...tile }) && shape.outChannels % 4 === 0,
    "conv2d_patch",
    `kernel ${shape.kernel}, stride ${shape.stride}, padding ${shape.padding}, ${shape.inChannels} input channels`,
  );
  return {
    sourceHeight: source.height,
    sourceWidth: source.width,
    sourceChannels,
    height: result.height,
    width: result.width,
    resultChannels,
  };
}

function tiles(batch: number, { height, width }: Size, channels: number): [number, number, number] {
  return foldWorkgroups(batch * tileCount({ height, width }) * Math.ceil(channels / tileChannels), 8);
}

/**
 * {@link conv2dForward} for 3×3 kernels of stride 1, faster where {@link suitsPatches}.
 * @throws {RangeError} unless the kernel is 3×3, the stride 1, the padding at most 2 and the channels multiples of 4.
 * @cost 9 · inChannels multiply-adds an output value; for 2,304 multiply-adds of vectors 60 loads of the source and
 *   72 of weights. An invocation computes 8 × 4 pixels × 8 channels.
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
export const conv2dForwardPatch: typeof conv2dForward = {
  ...conv2dForward,
  name: "conv2d_forward_patch",
  wgsl,
  entryPoint: "forward",
  constants: (shape) => ({
    ...constants(shape, shape, shape.inChannels, outputSize(shape), shape.outChannels),
    padding: shape.padding,
  }),
  workgroups: (shape) => tiles(shape.batch, outputSize(shape), shape.outChannels),
};

/**
 * {@link conv2dGradientInput} for 3×3 kernels of stride 1, faster where {@link suitsPatches}.
 * @throws {RangeError} unless the kernel is 3×3, the stride 1, the padding at most 2 and the channels multiples of 4.
 * @cost 9 · outChannels multiply-adds a value of the gradient. An invocation computes 8 × 4 pixels × 8 channels.
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
export const conv2dGradientInputPatch: typeof conv2dGradientInput = {
  ...conv2dGradientInput,
  name: "conv2d_gradient_input_patch",
  wgsl,
  entryPoint: "gradientInput",
  constants: (shape) => ({
    ...constants(shape, outputSize(shape), shape.outChannels, shape, shape.inChannels),
    padding: 2 - shape.padding,
    accumulate: Number(shape.accumulate),
  }),
  workgroups: (shape) => tiles(shape.batch, shape, shape.inChannels),
};
