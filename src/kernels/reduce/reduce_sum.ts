import wgsl from "../../../shaders/reduce/reduce_sum.wgsl" with { type: "text" };
import type { ScaledVectorShape } from "../vector/add.ts";
import { bytes32, type Kernel, requireShape } from "../kernel.ts";

/**
 * sum = factor · Σ input: the sum or mean of up to about 16 million values, in a fixed order.
 * @throws {RangeError} if there are more than 16,640,000 values.
 * @cost An addition and 4 bytes read for a value. One workgroup of 256, whatever the length: meant for the last stage
 *   of a loss.
 * @example
 * ```ts
 * import { reduceSum, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const { sum } = await run(reduceSum, { length: 4, factor: 0.25 }, { input: [1, 2, 3, 4], sum: 1 });
 * assert.deepEqual([...sum], [2.5]); // the mean
 * ```
 */
export const reduceSum: Kernel<ScaledVectorShape, "input" | "sum"> = {
  name: "reduce_sum",
  wgsl,
  bindings: [
    { name: "input", access: "read", bytes: ({ length }) => bytes32(length) },
    { name: "sum", access: "read-write", bytes: () => bytes32(1) },
  ],
  constants: ({ length, factor }) => {
    requireShape(
      length <= 256 * 65_000,
      "reduce_sum",
      `${length} values; at most ${256 * 65_000} are summed`,
    );
    return { length, factor };
  },
  uniforms: { length: "u32", factor: "f32" },
  workgroups: () => [1, 1, 1],
};
