import wgsl from "../../../shaders/optimiser/adam_step.wgsl" with { type: "text" };
import type { VectorShape } from "../vector/add.ts";
import { bytes32, foldWorkgroups, type Kernel } from "../kernel.ts";

/** A step of Adam on a flat vector. */
export interface AdamStepShape extends VectorShape {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
}

/**
 * Adam, as `torch.optim.Adam`. The moments start at 0.
 * @cost About 15 floating-point operations, 16 bytes read and 12 written a parameter: bound by bandwidth. An
 *   invocation takes 4 parameters.
 * @example
 * ```ts
 * import { adamStep, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const shape = { length: 4, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 };
 * const { parameters } = await run(adamStep, shape, {
 *   gradient: [8, -1, 0.5, -2],
 *   schedule: [0.1, 1 - 0.9, 1 - 0.999, 0], // learning rate, and the bias corrections of the first step
 *   status: new Uint32Array(4),
 *   firstMoment: [0, 0, 0, 0],
 *   secondMoment: [0, 0, 0, 0],
 *   parameters: [1, 1, 1, 1],
 * });
 * // The first step moves each parameter by the learning rate, against the gradient's sign.
 * [0.9, 1.1, 0.9, 1.1].forEach((value, i) => assert.ok(Math.abs(parameters[i]! - value) < 1e-5));
 * ```
 */
export const adamStep: Kernel<
  AdamStepShape,
  "gradient" | "schedule" | "status" | "firstMoment" | "secondMoment" | "parameters"
> = {
  name: "adam_step",
  wgsl,
  bindings: [
    { name: "gradient", access: "read", bytes: ({ length }) => bytes32(length) },
    { name: "schedule", access: "read", bytes: () => 16 },
    { name: "status", access: "read", bytes: () => 16 },
    { name: "firstMoment", access: "read-write", bytes: ({ length }) => bytes32(length) },
    { name: "secondMoment", access: "read-write", bytes: ({ length }) => bytes32(length) },
    { name: "parameters", access: "read-write", bytes: ({ length }) => bytes32(length) },
  ],
  constants: ({ beta1, beta2, epsilon, weightDecay }) => ({
    beta1,
    beta2,
    complement1: 1 - beta1,
    complement2: 1 - beta2,
    epsilon,
    weightDecay,
  }),
  workgroups: ({ length }) => foldWorkgroups(length / 4),
};
