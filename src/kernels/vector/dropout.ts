import wgsl from "../../../shaders/vector/dropout.wgsl" with { type: "text" };
import type { VectorShape } from "./add.ts";
import { bytes32, foldWorkgroups, type Kernel, requireShape } from "../kernel.ts";

/** Values of which a share is set to zero. */
export interface DropoutShape extends VectorShape {
  /** Probability that a value is dropped, at least 0 and below 1. */
  readonly rate: number;
  /** Whether to add to what the output holds. */
  readonly accumulate: boolean;
}

/**
 * output (=|+=) input / (1 − rate) where a uniform number is at least the rate. It also computes its own gradient.
 * @throws {RangeError} unless 0 ≤ rate < 1.
 * @cost A division, 8 bytes read and 4 written a value: bound by bandwidth. An invocation takes 4 values.
 * @example
 * ```ts
 * import { dropout, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const { output } = await run(dropout, { length: 4, rate: 0.5, accumulate: false }, {
 *   input: [1, 2, 3, 4],
 *   uniforms: [0.2, 0.7, 0.5, 0.1],
 *   output: 4,
 * });
 * assert.deepEqual([...output], [0, 4, 6, 0]);
 * ```
 */
export const dropout: Kernel<DropoutShape, "input" | "uniforms" | "output"> = {
  name: "dropout",
  wgsl,
  bindings: [
    { name: "input", access: "read", alias: "Input", bytes: ({ length }) => bytes32(length) },
    { name: "uniforms", access: "read", bytes: ({ length }) => bytes32(length) },
    { name: "output", access: "read-write", alias: "Output", bytes: ({ length }) => bytes32(length) },
  ],
  constants: ({ rate, accumulate }) => {
    requireShape(rate >= 0 && rate < 1, "dropout", `rate ${rate}; it must be at least 0 and below 1`);
    return { rate, accumulate: Number(accumulate) };
  },
  workgroups: ({ length }) => foldWorkgroups(length / 4),
};
