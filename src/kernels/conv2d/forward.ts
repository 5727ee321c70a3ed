import compactWgsl from "../../../shaders/conv2d/compact.wgsl" with { type: "text" };
import textureWgsl from "../../../shaders/conv2d/forward_texture.wgsl" with { type: "text" };
import stagedWgsl from "../../../shaders/conv2d/staged.wgsl" with { type: "text" };
import { conv2dConstants, type Conv2dShape, conv2dSizes, conv2dUniforms, outputSize } from "./shape.ts";
import { inDefaultTiles, productConstants, type StagedTile, stagedTile, stagedWorkgroups } from "./staged.ts";
import { type Binding, bytes32, foldWorkgroups, type Kernel } from "../kernel.ts";

type Names = "input" | "weight" | "bias" | "output";

/** Convolution with bias. */
export type Conv2dForward = Kernel<Conv2dShape, Names>;

const bindings = (access: "read" | "texture"): readonly Binding<Conv2dShape, Names>[] => [
  { name: "input", access, alias: "Source", bytes: (shape) => bytes32(conv2dSizes(shape).input) },
  { name: "weight", access, bytes: (shape) => bytes32(conv2dSizes(shape).weight) },
  { name: "bias", access: "read", bytes: ({ outChannels }) => bytes32(outChannels) },
  {
    name: "output",
    access: "read-write",
    alias: "Output",
    bytes: (shape) => bytes32(conv2dSizes(shape).output),
  },
];

/** Workgroups for tiles of the given pixels and output channels. */
function tiles(
  shape: Conv2dShape,
  pixels: number,
  channels: number,
  workgroup: number,
): [number, number, number] {
  const outPixels = conv2dSizes(shape).output / shape.outChannels;
  return foldWorkgroups(Math.ceil(outPixels / pixels) * Math.ceil(shape.outChannels / channels), workgroup);
}

/** Constants of the shaders that serve both directions, for the forward one. */
function constants(shape: Conv2dShape): Record<string, number> {
  conv2dConstants(shape);
  const { inChannels, outChannels, kernel, stride, padding } = shape;
  return productConstants(shape, inChannels, outputSize(shape), outChannels, { kernel, stride, padding });
}

/** The convolution in tiles staged in workgroup memory. The tile may depend on the output channels. */
function staged(name: string, tile: (channels: number) => StagedTile): Conv2dForward {
  return {
    name,
    wgsl: stagedWgsl,
    entryPoint: "forward",
    bindings: bindings("read"),
    constants: (shape) => ({
      ...constants(shape),
      ...stagedTile(tile(shape.outChannels), shape.outChannels),
    }),
    workgroups: (shape) => {
      const { outChannels } = shape;
      return stagedWorkgroups(tile(outChannels), conv2dSizes(shape).output / outChannels, 1, outChannels);
    },
  };
}

/** {@link conv2dForward} in tiles of another shape. */
export function conv2dForwardTiled(tile: StagedTile): Conv2dForward {
  return staged(`conv2d_forward_${tile.pixels}x${tile.channels}`, () => tile);
}

/**
 * Convolution with bias, for images with a multiple of 4 channels, in tiles staged in workgroup memory: for GPUs.
 * @throws {RangeError} unless the kernel is 1×1 or 3×3 and the channels are multiples of 4.
 * @cost kernel² · inChannels multiply-adds for an output value. An invocation computes 8 pixels × 8 channels, and loads
 *   a vector from workgroup memory for every 4 multiply-adds of vectors.
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
export const conv2dForward: Conv2dForward = inDefaultTiles("conv2d_forward", staged);

/**
 * {@link conv2dForward} as a short program, for implementations that compile slowly.
 * @throws {RangeError} unless the kernel is 1×1 or 3×3 and the channels are multiples of 4.
 * @cost kernel² · inChannels multiply-adds for an output value. An invocation computes 4 pixels × 4 channels.
 * @example
 * ```ts
 * import { conv2dForwardCompact, conv2dSizes, run } from "sada-jem/kernels";
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
 * const { output } = await run(conv2dForwardCompact, shape, {
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
export const conv2dForwardCompact: Conv2dForward = {
  ...conv2dForward,
  name: "conv2d_forward_compact",
  variants: {},
  wgsl: compactWgsl,
  constants,
  workgroups: (shape) => tiles(shape, 4, 4, 64),
};

/**
 * {@link conv2dForward} in large tiles of registers, read through textures: for lavapipe.
 * @throws {RangeError} unless the kernel is 1×1 or 3×3 and the channels are multiples of 4.
 * @cost kernel² · inChannels multiply-adds for an output value, and a load of 4 values for every 32 of them. An
 *   invocation computes 16 pixels × 16 channels.
 * @example
 * ```ts
 * import { conv2dForwardTexture, conv2dSizes, run } from "sada-jem/kernels";
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
 * const { output } = await run(conv2dForwardTexture, shape, {
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
export const conv2dForwardTexture: Conv2dForward = {
  name: "conv2d_forward_texture",
  wgsl: textureWgsl,
  bindings: bindings("texture"),
  constants: (shape) => conv2dConstants(shape),
  uniforms: { ...conv2dUniforms, kernel: "u32", stride: "u32", padding: "u32" },
  workgroups: (shape) => tiles(shape, 16, 16, 8),
};
