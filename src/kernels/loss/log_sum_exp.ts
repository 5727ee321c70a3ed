import wgsl from "../../../shaders/loss/log_sum_exp.wgsl" with { type: "text" };
import backwardWgsl from "../../../shaders/loss/log_sum_exp_backward.wgsl" with { type: "text" };
import { bytes32, foldWorkgroups, type Kernel, requireShape, type Uniforms } from "../kernel.ts";

/** A row-major matrix. */
export interface RowsShape {
  readonly rows: number;
  readonly columns: number;
}

/** Constants of kernels in which one invocation goes through the columns of a row twice. */
export function rowConstants({ rows, columns }: RowsShape): Record<string, number> {
  requireShape(columns <= 30_000, "rows", `${columns} columns; at most 30,000 are summed by one loop`);
  return { rows, columns };
}

/** The constants that their shaders take from a uniform buffer. */
export const rowUniforms: Uniforms = { rows: "u32", columns: "u32" };

/**
 * log Σ exp over each row, `[rows, columns]` → `[rows]`.
 * @throws {RangeError} if there are more than 30,000 columns.
 * @cost An exponential for each value, which is read twice. An invocation takes one row: meant for few columns.
 * @example
 * ```ts
 * import { logSumExp, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const { values } = await run(logSumExp, { rows: 2, columns: 4 }, {
 *   logits: [0, 0, 0, 0, 1000, 0, 0, 0],
 *   values: 2,
 * });
 * assert.ok(Math.abs(values[0]! - Math.log(4)) < 1e-6);
 * assert.equal(values[1], 1000); // without overflow
 * ```
 */
export const logSumExp: Kernel<RowsShape, "logits" | "values"> = {
  name: "log_sum_exp",
  wgsl,
  bindings: [
    { name: "logits", access: "read", bytes: ({ rows, columns }) => bytes32(rows * columns) },
    { name: "values", access: "read-write", bytes: ({ rows }) => bytes32(rows) },
  ],
  constants: rowConstants,
  uniforms: rowUniforms,
  workgroups: ({ rows }) => foldWorkgroups(rows),
};

/**
 * Gradient of {@link logSumExp} with respect to the logits, written or added.
 * @throws {RangeError} if there are more than 30,000 columns.
 * @cost An exponential, 4 bytes read and 4 written a value. An invocation takes one value.
 * @example
 * ```ts
 * import { logSumExpBackward, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const shape = { rows: 1, columns: 4, accumulate: false };
 * const { logitsGradient } = await run(logSumExpBackward, shape, {
 *   logits: [0, 0, 0, 0],
 *   values: [Math.log(4)],
 *   valueGradient: [8],
 *   logitsGradient: 4,
 * });
 * for (const value of logitsGradient) assert.ok(Math.abs(value - 2) < 1e-5); // 8 · softmax
 * ```
 */
export const logSumExpBackward: Kernel<
  RowsShape & { readonly accumulate: boolean },
  "logits" | "values" | "valueGradient" | "logitsGradient"
> = {
  name: "log_sum_exp_backward",
  wgsl: backwardWgsl,
  bindings: [
    { name: "logits", access: "read", bytes: ({ rows, columns }) => bytes32(rows * columns) },
    { name: "values", access: "read", bytes: ({ rows }) => bytes32(rows) },
    { name: "valueGradient", access: "read", bytes: ({ rows }) => bytes32(rows) },
    { name: "logitsGradient", access: "read-write", bytes: ({ rows, columns }) => bytes32(rows * columns) },
  ],
  constants: (shape) => ({ ...rowConstants(shape), accumulate: Number(shape.accumulate) }),
  workgroups: ({ rows, columns }) => foldWorkgroups(rows * columns),
};
