import wgsl from "../../../shaders/vector/leaky_relu.wgsl" with { type: "text" };
import backwardWgsl from "../../../shaders/vector/leaky_relu_backward.wgsl" with { type: "text" };
import type { VectorShape } from "./add.ts";
import { bytes32, foldWorkgroups, type Kernel } from "../kernel.ts";

/** A vector and the slope of a LeakyReLU. */
export interface LeakyReluShape extends VectorShape {
  /** Slope below zero. */
  readonly slope: number;
}

/**
 * output = input where it is positive, slope · input elsewhere.
 * @cost 4 bytes read and 4 written a value: bound by bandwidth. An invocation takes 4 values.
 * @example
 * ```ts
 * import { leakyRelu, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const { output } = await run(leakyRelu, { length: 3, slope: 0.5 }, { input: [-2, 0, 2], output: 3 });
 * assert.deepEqual([...output], [-1, 0, 2]);
 * ```
 */
export const leakyRelu: Kernel<LeakyReluShape, "input" | "output"> = {
  name: "leaky_relu",
  wgsl,
  bindings: [
    { name: "input", access: "read", alias: "Input", bytes: ({ length }) => bytes32(length) },
    { name: "output", access: "read-write", alias: "Output", bytes: ({ length }) => bytes32(length) },
  ],
  constants: ({ slope }) => ({ slope }),
  workgroups: ({ length }) => foldWorkgroups(length / 4),
};

/**
 * Gradient of {@link leakyRelu} with respect to its input, written or added.
 * @cost 8 bytes read and 4 written a value: bound by bandwidth. An invocation takes 4 values.
 * @example
 * ```ts
 * import { leakyReluBackward, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const shape = { length: 2, slope: 0.5, accumulate: true };
 * const { inputGradient } = await run(leakyReluBackward, shape, {
 *   input: [-2, 2],
 *   outputGradient: [4, 4],
 *   inputGradient: [100, 100],
 * });
 * assert.deepEqual([...inputGradient], [102, 104]);
 * ```
 */
export const leakyReluBackward: Kernel<
  LeakyReluShape & { readonly accumulate: boolean },
  "input" | "outputGradient" | "inputGradient"
> = {
  name: "leaky_relu_backward",
  wgsl: backwardWgsl,
  bindings: [
    { name: "input", access: "read", alias: "Input", bytes: ({ length }) => bytes32(length) },
    { name: "outputGradient", access: "read", bytes: ({ length }) => bytes32(length) },
    { name: "inputGradient", access: "read-write", bytes: ({ length }) => bytes32(length) },
  ],
  constants: ({ slope, accumulate }) => ({ slope, accumulate: Number(accumulate) }),
  workgroups: ({ length }) => foldWorkgroups(length / 4),
};
