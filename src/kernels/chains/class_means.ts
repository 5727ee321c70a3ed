import wgsl from "../../../shaders/chains/class_means.wgsl" with { type: "text" };
import { bytes32, foldWorkgroups, type Kernel, mostLoopIterations, requireShape } from "../kernel.ts";

/** A buffer of a data set of bytes whose images are grouped by class. */
export interface ClassShape {
  readonly classes: number;
  /** All values of an image. */
  readonly pixels: number;
  /** Images in the buffer. */
  readonly count: number;
  /** Images in the buffer that belong to a class. */
  readonly listed: number;
  /** Images of the largest class in all buffers. */
  readonly maximumCount: number;
  /** The byte value of full intensity. */
  readonly maximum: number;
  /** Whether this is the first of the data set's buffers. */
  readonly first: boolean;
  /** Whether this is the last of the data set's buffers. */
  readonly last: boolean;
}

/** Most images that a buffer may hold, because one loop goes through them. */
export const mostImagesPerBuffer = mostLoopIterations;

/** Constants of the kernels that go through the members of a class. */
export function classConstants(shape: ClassShape): Record<string, number> {
  const { classes, pixels, maximum, count, first, last } = shape;
  requireShape(
    count <= mostImagesPerBuffer,
    "classes",
    `${count} images in a buffer; at most ${mostImagesPerBuffer}`,
  );
  return { classes, pixels, maximum, first: Number(first), last: Number(last) };
}

/** Bytes of the data set's buffer. */
export function imageBytes({ count, pixels }: ClassShape): number {
  return bytes32(Math.ceil(count * pixels / 4));
}

/** Bytes of the list of members. */
export function memberBytes({ classes, listed }: ClassShape): number {
  return bytes32(4 * classes + listed);
}

/**
 * Each class's mean image in [−1, 1], `[classes, pixels]`, buffer by buffer.
 * @throws {RangeError} if the buffer holds more than 65,535 images.
 * @cost An integer addition and a byte read for each pixel of each image. An invocation goes through the images of
 *   one class for one pixel.
 * @example
 * ```ts
 * import { classMeans, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const shape = {
 *   classes: 2,
 *   pixels: 4,
 *   count: 3,
 *   listed: 3,
 *   maximumCount: 2,
 *   maximum: 255,
 *   first: true,
 *   last: true,
 * };
 * const { means } = await run(classMeans, shape, {
 *   bytes: Uint32Array.of(0x00000000, 0xff00ff00, 0xffffffff), // three images of four pixels
 *   // Start, count, images in earlier buffers and in all of each class; then images 0 and 2 of class 0, 1 of class 1.
 *   members: Uint32Array.of(8, 2, 0, 2, 10, 1, 0, 1, 0, 2, 1),
 *   means: 8,
 * });
 * [0, 0, 0, 0, -1, 1, -1, 1].forEach((value, i) => assert.ok(Math.abs(means[i]! - value) < 1e-6));
 * ```
 */
export const classMeans: Kernel<ClassShape, "bytes" | "members" | "means"> = {
  name: "class_means",
  wgsl,
  bindings: [
    { name: "bytes", access: "read", bytes: imageBytes },
    { name: "members", access: "read", bytes: memberBytes },
    { name: "means", access: "read-write", bytes: ({ classes, pixels }) => bytes32(classes * pixels) },
  ],
  constants: classConstants,
  uniforms: { first: "u32", last: "u32" },
  workgroups: ({ classes, pixels }) => foldWorkgroups(classes * pixels),
};
