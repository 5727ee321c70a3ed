import wgsl from "../../../shaders/images/resize_bilinear.wgsl" with { type: "text" };
import { bytes32, foldWorkgroups, type Kernel, requireShape } from "../kernel.ts";

/** Resizing of images `[batch, height, width, channels]` to `size` × `size`, then value · valueScale + valueShift. */
export interface ResizeBilinearShape {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Side of the output. */
  readonly size: number;
  /** Factor of the interpolated values. */
  readonly valueScale: number;
  /** What is added to them after that. */
  readonly valueShift: number;
  /** Whether both grids share their first pixel, as in TensorFlow 1, rather than their outer border. */
  readonly fromCorner: boolean;
}

/** Largest side of input and output: positions are multiples of 1/(2·size) in 32-bit integers. */
const largestSide = 32_768;

function outputValues({ batch, size, channels }: ResizeBilinearShape): number {
  return batch * size * size * channels;
}

/**
 * Bilinear interpolation without antialiasing, like PyTorch's with `align_corners=False` or like TensorFlow 1's.
 * @throws {RangeError} unless all sides are 1 to 32,768 pixels.
 * @cost About 10 operations and 4 loads an output value. An invocation takes one value.
 * @example
 * ```ts
 * import { resizeBilinear, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const size = { batch: 1, height: 1, width: 2, channels: 1, size: 4 };
 * const shape = { ...size, valueScale: 1, valueShift: 0, fromCorner: false };
 * const { output } = await run(resizeBilinear, shape, { input: [0, 8], output: 16 });
 * assert.deepEqual([...output.slice(0, 4)], [0, 2, 6, 8]);
 * ```
 */
export const resizeBilinear: Kernel<ResizeBilinearShape, "input" | "output"> = {
  name: "resize_bilinear",
  wgsl,
  bindings: [
    {
      name: "input",
      access: "read",
      bytes: ({ batch, height, width, channels }) => bytes32(batch * height * width * channels),
    },
    { name: "output", access: "read-write", bytes: (shape) => bytes32(outputValues(shape)) },
  ],
  constants: ({ height, width, channels, size, valueScale, valueShift, fromCorner }) => {
    for (const side of [height, width, size]) {
      requireShape(
        side >= 1 && side <= largestSide,
        "resize_bilinear",
        `a side of ${side} pixels; sides are 1 to ${largestSide}`,
      );
    }
    return { height, width, channels, size, valueScale, valueShift, fromCorner: Number(fromCorner) };
  },
  workgroups: (shape) => foldWorkgroups(outputValues(shape)),
};
