import wgsl from "../../shaders/reduce_sum.wgsl" with { type: "text" };
import type { ScaledVectorShape } from "./add.ts";
import { bytes32, type Kernel, requireShape } from "./kernel.ts";

/** sum = factor · Σ input: the sum or mean of up to some 16 million values, in fixed order. */
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
  workgroups: () => [1, 1, 1],
};
