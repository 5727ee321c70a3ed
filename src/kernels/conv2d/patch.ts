import wgsl from "../../../shaders/conv2d/patch_texture.wgsl" with { type: "text" };
import { type Conv2dShape, conv2dSizes, conv2dUniforms, outputSize } from "./shape.ts";
import { bytes32, foldWorkgroups, type Kernel, requireShape } from "../kernel.ts";

/** Pixels of a tile, as the shader defines it. */
const tile = { height: 4, width: 8 } as const;
/** Channels of a tile. */
const tileChannels = 8;

/** Whether {@link conv2dPatch} can compute a convolution: 3×3, stride 1, channels in multiples of four. */
export function takesPatches({ kernel, stride, padding, inChannels, outChannels }: Conv2dShape): boolean {
  return kernel === 3 && stride === 1 && padding <= 2 && inChannels % 4 === 0 && outChannels % 4 === 0;
}

/** Whether it can, and the map fills at least half of the tiles. */
export function suitsPatches(shape: Conv2dShape): boolean {
  const { height, width } = shape;
  const covered = tileCount(shape) * tile.height * tile.width;
  return takesPatches(shape) && covered <= 2 * height * width;
}

function tileCount({ height, width }: { readonly height: number; readonly width: number }): number {
  return Math.ceil(height / tile.height) * Math.ceil(width / tile.width);
}

/** A convolution, and what else becomes part of its result. */
export interface Conv2dPatchShape extends Conv2dShape {
  /** Whether to add the bias. If not, any buffer but the output's may be bound in its place. */
  readonly addBias: boolean;
  /** Whether to add to what the output holds. */
  readonly accumulate: boolean;
}

/**
 * The convolution whose result is the gradient of another one, of stride 1, with respect to its input. It convolves the
 * gradient with respect to the output with weights that `conv2dTurnWeight` has rotated.
 */
export function gradientConvolution(shape: Conv2dShape): Conv2dShape {
  const { inChannels, outChannels, kernel, padding } = shape;
  return {
    ...shape,
    ...outputSize(shape),
    inChannels: outChannels,
    outChannels: inChannels,
    padding: kernel - 1 - padding,
  };
}

/**
 * `conv2dForwardTexture` for 3×3 kernels of stride 1, faster where `suitsPatches`. The gradient with respect to the
 * input is the convolution `gradientConvolution` of the gradient with respect to the output, with weights from
 * `conv2dTurnWeight`. The bias is read if `addBias`; otherwise any buffer may be bound in its place.
 * @throws {RangeError} unless the kernel is 3×3, the stride 1, the padding at most 2 and the channels multiples of 4.
 * @cost 9 · inChannels multiply-adds for an output value. 2,304 multiply-adds of vectors take 60 loads of the input and
 *   72 of weights. An invocation computes 4 × 8 pixels × 8 channels.
 * @example
 * ```ts
 * import { conv2dPatch, conv2dSizes, run } from "sada-jem/kernels";
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
 * const { output } = await run(conv2dPatch, { ...shape, addBias: true, accumulate: false }, {
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
export const conv2dPatch: Kernel<Conv2dPatchShape, "input" | "weight" | "bias" | "output"> = {
  name: "conv2d_patch",
  wgsl,
  bindings: [
    { name: "input", access: "texture", bytes: (shape) => bytes32(conv2dSizes(shape).input) },
    { name: "weight", access: "texture", bytes: (shape) => bytes32(conv2dSizes(shape).weight) },
    { name: "bias", access: "read", bytes: ({ outChannels }) => bytes32(outChannels) },
    {
      name: "output",
      access: "read-write",
      alias: "Output",
      bytes: (shape) => bytes32(conv2dSizes(shape).output),
    },
  ],
  constants: (shape) => {
    const { kernel, stride, padding, inChannels, outChannels } = shape;
    const output = outputSize(shape);
    requireShape(
      takesPatches(shape) && output.height > 0 && output.width > 0,
      "conv2d_patch",
      `kernel ${kernel}, stride ${stride}, padding ${padding}, ` +
        `${inChannels} input and ${outChannels} output channels, output of ${output.height}×${output.width}`,
    );
    return {
      height: shape.height,
      width: shape.width,
      outHeight: output.height,
      outWidth: output.width,
      inChannels,
      outChannels,
      padding,
      addBias: Number(shape.addBias),
      accumulate: Number(shape.accumulate),
    };
  },
  uniforms: { ...conv2dUniforms, padding: "u32", addBias: "u32" },
  workgroups: (shape) => {
    const channelTiles = Math.ceil(shape.outChannels / tileChannels);
    return foldWorkgroups(shape.batch * tileCount(outputSize(shape)) * channelTiles, 8);
  },
};
