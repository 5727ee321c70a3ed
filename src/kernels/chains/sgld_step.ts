import wgsl from "../../../shaders/chains/sgld_step.wgsl" with { type: "text" };
import type { VectorShape } from "../vector/add.ts";
import { bytes32, foldWorkgroups, type Kernel } from "../kernel.ts";

/** One step of SGLD on images in [−1, 1]. */
export interface SgldStepShape extends VectorShape {
  readonly stepSize: number;
  /** Bound of each element of the gradient; Infinity for none. */
  readonly gradientClamp: number;
  /** Further steps along the same gradient (PYLD), each clamped to [−1, 1]; 0 for none. */
  readonly innerSteps: number;
  readonly innerStepSize: number;
  /** Bound of each element of the gradient in the inner steps; Infinity for none. */
  readonly innerClamp: number;
  /** 0 for no noise. Any buffer of the images' size may then be bound in its place. */
  readonly noiseScale: number;
}

const largestFloat32 = 3.4028234663852886e38;

/**
 * next = clamp(image + α·clamp(gradient) + σ·noise, −1, 1), equation 3 of the paper. PYLD's inner steps come before the
 * noise.
 * @cost 2 multiply-adds, 12 bytes read and 4 written a value: bound by bandwidth. An invocation takes 4 values.
 * @example
 * ```ts
 * import { run, sgldStep } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const shape = {
 *   length: 4,
 *   stepSize: 0.5,
 *   gradientClamp: 1,
 *   innerSteps: 0,
 *   innerStepSize: 0,
 *   innerClamp: Infinity,
 *   noiseScale: 0.25,
 * };
 * const { next } = await run(sgldStep, shape, {
 *   image: [0, 0, 0, 0.75],
 *   gradient: [0.5, -0.5, 100, 1],
 *   noise: [0, 1, -1, 0],
 *   next: 4,
 * });
 * assert.deepEqual([...next], [0.25, 0, 0.25, 1]);
 * ```
 */
export const sgldStep: Kernel<SgldStepShape, "image" | "gradient" | "noise" | "next"> = {
  name: "sgld_step",
  wgsl,
  bindings: [
    { name: "image", access: "read", bytes: ({ length }) => bytes32(length) },
    { name: "gradient", access: "read", bytes: ({ length }) => bytes32(length) },
    { name: "noise", access: "read", bytes: ({ length }) => bytes32(length) },
    { name: "next", access: "read-write", bytes: ({ length }) => bytes32(length) },
  ],
  constants: ({ stepSize, gradientClamp, innerSteps, innerStepSize, innerClamp, noiseScale }) => ({
    stepSize,
    gradientClamp: Math.min(gradientClamp, largestFloat32),
    innerSteps,
    innerStepSize,
    innerClamp: Math.min(innerClamp, largestFloat32),
    noiseScale,
  }),
  workgroups: ({ length }) => foldWorkgroups(length / 4),
};
