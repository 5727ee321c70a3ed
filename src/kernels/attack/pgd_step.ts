import wgsl from "../../../shaders/attack/pgd_step.wgsl" with { type: "text" };
import {
  type Binding,
  bytes32,
  foldWorkgroups,
  type Kernel,
  maximumWorkgroups,
  requireShape,
} from "../kernel.ts";

/** A batch of images under attack. */
export interface PgdShape {
  readonly batch: number;
  /** Values in an image. */
  readonly pixels: number;
  readonly stepSize: number;
  /** Radius of the ball around the originals, in the units of images in [−1, 1]. */
  readonly radius: number;
}

type Names = "image" | "gradient" | "original" | "next";

const bytes = ({ batch, pixels }: PgdShape) => bytes32(batch * pixels);
const bindings: readonly Binding<PgdShape, Names>[] = [
  { name: "image", access: "read", bytes },
  { name: "gradient", access: "read", bytes },
  { name: "original", access: "read", bytes },
  { name: "next", access: "read-write", bytes },
];

const constants = ({ pixels, stepSize, radius }: PgdShape) => ({ pixels, stepSize, radius });

/**
 * A step along the signs of the gradient, inside the L∞ ball.
 * @cost A few operations, 12 bytes read and 4 written a value: bound by bandwidth. An invocation takes one value.
 * @example
 * ```ts
 * import { pgdStepLinf, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const shape = { batch: 1, pixels: 2, stepSize: 0.25, radius: 0.125 };
 * const { next } = await run(pgdStepLinf, shape, {
 *   image: [0, 0.5],
 *   gradient: [-3, 0.1],
 *   original: [0, 0.5],
 *   next: 2,
 * });
 * assert.deepEqual([...next], [-0.125, 0.625]);
 * ```
 */
export const pgdStepLinf: Kernel<PgdShape, Names> = {
  name: "pgd_step_linf",
  wgsl,
  entryPoint: "linf",
  bindings,
  constants,
  workgroups: ({ batch, pixels }) => foldWorkgroups(batch * pixels),
};

/**
 * A step of a given length along the gradient, inside the L2 ball.
 * @throws {RangeError} if there are more than 65,535 images.
 * @cost About 10 operations a value, which is read three times. A workgroup of 64 takes one image.
 * @example
 * ```ts
 * import { pgdStepL2, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const shape = { batch: 1, pixels: 2, stepSize: 0.5, radius: 0.25 };
 * const { next } = await run(pgdStepL2, shape, {
 *   image: [0, 0.5],
 *   gradient: [-3, 0],
 *   original: [0, 0.5],
 *   next: 2,
 * });
 * assert.ok(Math.abs(next[0]! + 0.25) < 1e-6 && Math.abs(next[1]! - 0.5) < 1e-6);
 * ```
 */
export const pgdStepL2: Kernel<PgdShape, Names> = {
  name: "pgd_step_l2",
  wgsl,
  entryPoint: "l2",
  bindings,
  constants: (shape) => {
    requireShape(
      shape.batch <= maximumWorkgroups,
      "pgd_step_l2",
      `${shape.batch} images; at most ${maximumWorkgroups} at once`,
    );
    return constants(shape);
  },
  workgroups: ({ batch }) => [batch, 1, 1],
};
