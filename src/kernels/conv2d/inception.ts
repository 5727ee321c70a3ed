import wgsl from "../../../shaders/conv2d/inception.wgsl" with { type: "text" };
import { bytes32, foldWorkgroups, type Kernel, requireShape } from "../kernel.ts";

/**
 * A convolution of images `[batch, height, width, inChannels]` with rectangular kernels and zero padding. Its result
 * becomes channels `outOffset` to `outOffset + outChannels` of an output with `outStride` channels.
 */
export interface InceptionConvShape {
  readonly batch: number;
  /** Height of the input. */
  readonly height: number;
  /** Width of the input. */
  readonly width: number;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly stride: number;
  /** Rows of zeros above and below the input. */
  readonly paddingY: number;
  /** Columns of zeros left and right of the input. */
  readonly paddingX: number;
  /** First channel of the output that is written. */
  readonly outOffset: number;
  /** All channels of the output. */
  readonly outStride: number;
}

/** Height and width of the output: ⌊(size + 2·padding − kernel) / stride⌋ + 1. */
export function inceptionConvOutputSize(shape: InceptionConvShape): { height: number; width: number } {
  const { height, width, kernelHeight, kernelWidth, stride, paddingY, paddingX } = shape;
  return {
    height: Math.floor((height + 2 * paddingY - kernelHeight) / stride) + 1,
    width: Math.floor((width + 2 * paddingX - kernelWidth) / stride) + 1,
  };
}

function outputPixels(shape: InceptionConvShape): number {
  const { height, width } = inceptionConvOutputSize(shape);
  return shape.batch * height * width;
}

function constants(shape: InceptionConvShape): Record<string, number> {
  const { batch: _, ...values } = shape;
  const { height: outHeight, width: outWidth } = inceptionConvOutputSize(shape);
  const { outChannels, outOffset, outStride } = shape;
  const name = "inception_conv";
  requireShape(outHeight > 0 && outWidth > 0, name, `no output of ${shape.height}×${shape.width} pixels`);
  for (const [what, count] of Object.entries({ outChannels, outOffset, outStride })) {
    requireShape(count % 4 === 0, name, `${what} must be a multiple of 4, not ${count}`);
  }
  requireShape(
    outOffset + outChannels <= outStride,
    name,
    `channels ${outOffset} to ${outOffset + outChannels} of ${outStride}`,
  );
  return { ...values, outHeight, outWidth };
}

/**
 * Convolution, then scale and shift for each channel, then ReLU, into a range of the output's channels.
 * @throws {RangeError} unless the output channels, their offset and stride are multiples of 4 and fit into each
 *   other.
 * @cost kernelHeight · kernelWidth · inChannels multiply-adds for an output value. An invocation computes 8 pixels × 16
 *   channels.
 * @example
 * ```ts
 * import { inceptionConv, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const shape = {
 *   batch: 1,
 *   height: 1,
 *   width: 2,
 *   inChannels: 1,
 *   outChannels: 4,
 *   kernelHeight: 1,
 *   kernelWidth: 1,
 *   stride: 1,
 *   paddingY: 0,
 *   paddingX: 0,
 *   outOffset: 0,
 *   outStride: 4,
 * };
 * const { output } = await run(inceptionConv, shape, {
 *   input: [1, 2],
 *   weight: [1, 10, 100, -1],
 *   affine: [2, 2, 2, 2, 0, 0, 0, 1], // scale, then shift
 *   output: 8,
 * });
 * assert.deepEqual([...output], [2, 20, 200, 0, 4, 40, 400, 0]);
 * ```
 */
export const inceptionConv: Kernel<InceptionConvShape, "input" | "weight" | "affine" | "output"> = {
  name: "inception_conv",
  wgsl,
  bindings: [
    {
      name: "input",
      access: "read",
      bytes: ({ batch, height, width, inChannels }) => bytes32(batch * height * width * inChannels),
    },
    {
      name: "weight",
      access: "read",
      bytes: ({ kernelHeight, kernelWidth, inChannels, outChannels }) =>
        bytes32(kernelHeight * kernelWidth * inChannels * outChannels),
    },
    { name: "affine", access: "read", bytes: ({ outChannels }) => bytes32(2 * outChannels) },
    {
      name: "output",
      access: "read-write",
      bytes: (shape) => bytes32(outputPixels(shape) * shape.outStride),
    },
  ],
  constants,
  workgroups: (shape) =>
    foldWorkgroups(Math.ceil(outputPixels(shape) / 8) * Math.ceil(shape.outChannels / 16), 8),
};
