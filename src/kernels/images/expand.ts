import wgsl from "../../../shaders/images/expand.wgsl" with { type: "text" };
import { bytes32, foldWorkgroups, type Kernel, requireShape } from "../kernel.ts";

/** A batch taken from a data set of bytes. */
export interface ExpandImagesShape {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Index of the buffer's first image in the data set. Images in other buffers are not written. */
  readonly first: number;
  /** Number of images in the buffer. */
  readonly count: number;
  /** The byte value of full intensity. */
  readonly maximum: number;
  /** Pixels of reflection around an image before the crop. */
  readonly padding: number;
}

/**
 * Images of a data set in [−1, 1], reflect-padded, cropped and flipped.
 * @throws {RangeError} if the padding reflects more than the image has.
 * @cost A byte read and 4 bytes written a value: bound by bandwidth. An invocation takes one value.
 * @example
 * ```ts
 * import { expandImages, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const shape = { batch: 2, height: 2, width: 2, channels: 1, first: 0, count: 1, maximum: 255, padding: 0 };
 * const { images } = await run(expandImages, shape, {
 *   bytes: Uint32Array.of(0xff00ff00), // one image of four pixels
 *   indices: Uint32Array.of(0, 0),
 *   crops: Uint32Array.of(0, 1 << 16), // as it is, and flipped
 *   images: 8,
 * });
 * assert.deepEqual([...images], [-1, 1, -1, 1, 1, -1, 1, -1]);
 * ```
 */
export const expandImages: Kernel<ExpandImagesShape, "bytes" | "indices" | "crops" | "images"> = {
  name: "expand_images",
  wgsl,
  bindings: [
    {
      name: "bytes",
      access: "read",
      bytes: ({ count, height, width, channels }) =>
        bytes32(Math.ceil(count * height * width * channels / 4)),
    },
    { name: "indices", access: "read", bytes: ({ batch }) => bytes32(batch) },
    { name: "crops", access: "read", bytes: ({ batch }) => bytes32(batch) },
    {
      name: "images",
      access: "read-write",
      bytes: ({ batch, height, width, channels }) => bytes32(batch * height * width * channels),
    },
  ],
  constants: ({ batch, height, width, channels, first, count, maximum, padding }) => {
    requireShape(
      padding < Math.min(height, width),
      "expand_images",
      `padding ${padding} reflects more than an image of ${height}×${width} has`,
    );
    return { batch, height, width, channels, first, count, maximum, padding };
  },
  uniforms: {
    batch: "u32",
    first: "u32",
    count: "u32",
    height: "u32",
    width: "u32",
    channels: "u32",
    padding: "u32",
  },
  workgroups: ({ batch, height, width, channels }) => foldWorkgroups(batch * height * width * channels),
};
