import compactWgsl from "../../../shaders/conv2d/compact.wgsl" with { type: "text" };
import textureWgsl from "../../../shaders/conv2d/gradient_input_texture.wgsl" with { type: "text" };
import stagedWgsl from "../../../shaders/conv2d/staged.wgsl" with { type: "text" };
import { conv2dConstants, type Conv2dShape, conv2dSizes, conv2dUniforms, outputSize } from "./shape.ts";
import { inDefaultTiles, productConstants, type StagedTile, stagedTile, stagedWorkgroups } from "./staged.ts";
import { type Binding, bytes32, foldWorkgroups, type Kernel, type Uniforms } from "../kernel.ts";

/** A convolution, and whether its input's gradient is added to what the buffer holds. */
export interface Conv2dGradientInputShape extends Conv2dShape {
  /** Whether to add to what the gradient holds. */
  readonly accumulate: boolean;
}

type Names = "outputGradient" | "weight" | "inputGradient";

/** Gradient of a convolution with respect to its input. */
export type Conv2dGradientInput = Kernel<Conv2dGradientInputShape, Names>;

const bindings = (access: "read" | "texture"): readonly Binding<Conv2dGradientInputShape, Names>[] => [
  { name: "outputGradient", access, bytes: (shape) => bytes32(conv2dSizes(shape).output) },
  { name: "weight", access, bytes: (shape) => bytes32(conv2dSizes(shape).weight) },
  { name: "inputGradient", access: "read-write", bytes: (shape) => bytes32(conv2dSizes(shape).input) },
];

/** Constants of the shaders that serve both directions, for the backward one. */
function constants(shape: Conv2dGradientInputShape): Record<string, number> {
  conv2dConstants(shape);
  const { inChannels, outChannels, kernel, stride, padding } = shape;
  const geometry = { kernel, stride, padding };
  return {
    ...productConstants(outputSize(shape), outChannels, shape, inChannels, geometry),
    accumulate: Number(shape.accumulate),
  };
}

/** Values that the shader reading through textures takes from its uniform buffer. */
export const textureUniforms: Uniforms = { ...conv2dUniforms, kernel: "u32", padding: "u32" };

/** Pixels of each of the stride² phases, each counted like the largest. */
function phasePixels({ batch, height, width, stride }: Conv2dShape): number {
  return batch * Math.ceil(height / stride) * Math.ceil(width / stride);
}

/** The gradient in tiles staged in workgroup memory. The tile may depend on the input channels. */
function staged(name: string, tile: (channels: number) => StagedTile): Conv2dGradientInput {
  return {
    name,
    wgsl: stagedWgsl,
    entryPoint: "gradientInput",
    bindings: bindings("read"),
    constants: (shape) => ({ ...constants(shape), ...stagedTile(tile(shape.inChannels), shape.inChannels) }),
    workgroups: (shape) => {
      const { inChannels, stride } = shape;
      return stagedWorkgroups(tile(inChannels), phasePixels(shape), stride ** 2, inChannels);
    },
  };
}

/** {@link conv2dGradientInput} in tiles of another shape. */
export function conv2dGradientInputTiled(tile: StagedTile): Conv2dGradientInput {
  return staged(`conv2d_gradient_input_${tile.pixels}x${tile.channels}`, () => tile);
}

/**
 * Gradient with respect to an input of a multiple of 4 channels, in tiles staged in workgroup memory: for GPUs.
 * @throws {RangeError} unless the kernel is 1×1 or 3×3 and the channels are multiples of 4.
 * @cost kernel² · outChannels / stride² multiply-adds for a value of the gradient. An invocation computes 8 pixels × 8
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
export const conv2dGradientInput: Conv2dGradientInput = inDefaultTiles("conv2d_gradient_input", staged);

/**
 * {@link conv2dGradientInput} as a short program, for implementations that compile slowly.
 * @throws {RangeError} unless the kernel is 1×1 or 3×3 and the channels are multiples of 4.
 * @cost kernel² · outChannels multiply-adds for a value of the gradient, whatever the stride. An invocation computes 4
 *   pixels × 4 channels.
 * @example
 * ```ts
 * import { conv2dGradientInputCompact, conv2dSizes, run } from "sada-jem/kernels";
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
 * const { inputGradient } = await run(conv2dGradientInputCompact, { ...shape, accumulate: false }, {
 *   outputGradient: Array(output).fill(1),
 *   weight: Array(weight).fill(1),
 *   inputGradient: input,
 * });
 * // The first pixel is in the windows of 4 pixels × 4 channels, the one in the centre in those of all 9.
 * assert.equal(inputGradient[0], 16);
 * assert.equal(inputGradient[4 * 4], 36);
 * ```
 */
export const conv2dGradientInputCompact: Conv2dGradientInput = {
  ...conv2dGradientInput,
  name: "conv2d_gradient_input_compact",
  variants: {},
  wgsl: compactWgsl,
  constants,
  workgroups: ({ batch, height, width, inChannels }) =>
    foldWorkgroups(Math.ceil(batch * height * width / 4) * inChannels / 4),
};

/**
 * {@link conv2dGradientInput} in large tiles of registers, read through textures: for lavapipe.
 * @throws {RangeError} unless the kernel is 1×1 or 3×3 and the channels are multiples of 4.
 * @cost kernel² · outChannels / stride² multiply-adds for a value of the gradient. An invocation computes 16 pixels ×
 *   16 channels.
 * @example
 * ```ts
 * import { conv2dGradientInputTexture, conv2dSizes, run } from "sada-jem/kernels";
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
 * const { inputGradient } = await run(conv2dGradientInputTexture, { ...shape, accumulate: false }, {
 *   outputGradient: Array(output).fill(1),
 *   weight: Array(weight).fill(1),
 *   inputGradient: input,
 * });
 * // The first pixel is in the windows of 4 pixels × 4 channels, the one in the centre in those of all 9.
 * assert.equal(inputGradient[0], 16);
 * assert.equal(inputGradient[4 * 4], 36);
 * ```
 */
export const conv2dGradientInputTexture: Conv2dGradientInput = {
  name: "conv2d_gradient_input_texture",
  wgsl: textureWgsl,
  bindings: bindings("texture"),
  constants: (shape) => ({ ...conv2dConstants(shape), accumulate: Number(shape.accumulate) }),
  uniforms: textureUniforms,
  workgroups: (shape) =>
    foldWorkgroups(
      shape.stride ** 2 * Math.ceil(phasePixels(shape) / 16) * Math.ceil(shape.inChannels / 16),
      8,
    ),
};
