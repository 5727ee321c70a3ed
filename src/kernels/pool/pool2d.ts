import wgsl from "../../../shaders/pool/pool2d.wgsl" with { type: "text" };
import { bytes32, foldWorkgroups, type Kernel, requireShape } from "../kernel.ts";

/**
 * Pooling of images `[batch, height, width, channels]`. The result becomes channels `outOffset` to `outOffset +
 * channels` of an output with `outStride` channels.
 */
export interface Pool2dShape {
  readonly batch: number;
  /** Height of the input. */
  readonly height: number;
  /** Width of the input. */
  readonly width: number;
  readonly channels: number;
  /** Side of the windows. */
  readonly kernel: number;
  readonly stride: number;
  /** Pixels around the input that windows reach, but that count for nothing. */
  readonly padding: number;
  /** Whether to take the mean of the pixels inside the image instead of the maximum. */
  readonly average: boolean;
  /** First channel of the output that is written. */
  readonly outOffset: number;
  /** All channels of the output. */
  readonly outStride: number;
}

/** Height and width of the output: ⌊(size + 2·padding − kernel) / stride⌋ + 1. */
export function pool2dOutputSize(
  { height, width, kernel, stride, padding }: Pool2dShape,
): { height: number; width: number } {
  const along = (size: number) => Math.floor((size + 2 * padding - kernel) / stride) + 1;
  return { height: along(height), width: along(width) };
}

function outputPixels(shape: Pool2dShape): number {
  const { height, width } = pool2dOutputSize(shape);
  return shape.batch * height * width;
}

function constants(shape: Pool2dShape): Record<string, number> {
  const { height, width, channels, kernel, stride, padding, average, outOffset, outStride } = shape;
  const { height: outHeight, width: outWidth } = pool2dOutputSize(shape);
  const name = "pool2d";
  requireShape(outHeight > 0 && outWidth > 0, name, `no output of ${height}×${width} with kernel ${kernel}`);
  requireShape(padding < kernel, name, `padding ${padding} with kernel ${kernel}: windows without pixels`);
  for (const [what, count] of Object.entries({ channels, outOffset, outStride })) {
    requireShape(count % 4 === 0, name, `${what} must be a multiple of 4, not ${count}`);
  }
  requireShape(
    outOffset + channels <= outStride,
    name,
    `channels ${outOffset} to ${outOffset + channels} of ${outStride}`,
  );
  return {
    height,
    width,
    outHeight,
    outWidth,
    channels,
    kernel,
    stride,
    padding,
    average: Number(average),
    outOffset,
    outStride,
  };
}

/**
 * Maximum or mean over windows, into a range of the output's channels.
 * @throws {RangeError} unless the channels, their offset and stride are multiples of 4 and fit into each other, and
 *   the padding is smaller than the kernel.
 * @cost kernel² comparisons or additions an output value. An invocation takes 4 channels of one pixel.
 * @example
 * ```ts
 * import { pool2d, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const shape = {
 *   batch: 1,
 *   height: 2,
 *   width: 2,
 *   channels: 4,
 *   kernel: 2,
 *   stride: 2,
 *   padding: 0,
 *   average: false,
 *   outOffset: 0,
 *   outStride: 4,
 * };
 * const { output } = await run(pool2d, shape, {
 *   input: [1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 3, 0, 0, 0, 0, -4],
 *   output: 4,
 * });
 * assert.deepEqual([...output], [1, 2, 3, 0]);
 * ```
 */
export const pool2d: Kernel<Pool2dShape, "input" | "output"> = {
  name: "pool2d",
  wgsl,
  bindings: [
    {
      name: "input",
      access: "read",
      bytes: ({ batch, height, width, channels }) => bytes32(batch * height * width * channels),
    },
    {
      name: "output",
      access: "read-write",
      bytes: (shape) => bytes32(outputPixels(shape) * shape.outStride),
    },
  ],
  constants,
  workgroups: (shape) => foldWorkgroups(outputPixels(shape) * shape.channels / 4),
};
