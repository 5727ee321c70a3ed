import wgsl from "../../../shaders/optimiser/sgd_step.wgsl" with { type: "text" };
import type { VectorShape } from "../vector/add.ts";
import { bytes32, foldWorkgroups, type Kernel } from "../kernel.ts";

/** A step of SGD on a flat vector. */
export interface SgdStepShape extends VectorShape {
  readonly momentum: number;
  readonly weightDecay: number;
}

/**
 * SGD with momentum in PyTorch's form. The velocity starts at 0.
 * @cost 3 multiply-adds, 12 bytes read and 8 written a parameter: bound by bandwidth. An invocation takes 4
 *   parameters.
 * @example
 * ```ts
 * import { run, sgdStep } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const { velocity, parameters } = await run(sgdStep, { length: 4, momentum: 0.5, weightDecay: 0 }, {
 *   gradient: [1, 2, 3, 4],
 *   schedule: [0.25, 0, 0, 0], // the learning rate
 *   status: new Uint32Array(4),
 *   velocity: [2, 2, 2, 2],
 *   parameters: [1, 1, 1, 1],
 * });
 * assert.deepEqual([...velocity], [2, 3, 4, 5]);
 * assert.deepEqual([...parameters], [0.5, 0.25, 0, -0.25]);
 * ```
 */
export const sgdStep: Kernel<SgdStepShape, "gradient" | "schedule" | "status" | "velocity" | "parameters"> = {
  name: "sgd_step",
  wgsl,
  bindings: [
    { name: "gradient", access: "read", bytes: ({ length }) => bytes32(length) },
    { name: "schedule", access: "read", bytes: () => 16 },
    { name: "status", access: "read", bytes: () => 16 },
    { name: "velocity", access: "read-write", bytes: ({ length }) => bytes32(length) },
    { name: "parameters", access: "read-write", bytes: ({ length }) => bytes32(length) },
  ],
  constants: ({ momentum, weightDecay }) => ({ momentum, weightDecay }),
  workgroups: ({ length }) => foldWorkgroups(length / 4),
};
