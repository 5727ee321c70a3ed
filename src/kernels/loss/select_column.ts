import wgsl from "../../../shaders/loss/select_column.wgsl" with { type: "text" };
import { bytes32, foldWorkgroups, type Kernel } from "../kernel.ts";
import type { RowsShape } from "./log_sum_exp.ts";

/**
 * values[r] = logits[r, labels[r]], `[rows, columns]` → `[rows]`.
 * @cost 4 bytes read and 4 written a row. An invocation takes one row.
 * @example
 * ```ts
 * import { run, selectColumn } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const { values } = await run(selectColumn, { rows: 2, columns: 3 }, {
 *   labels: Uint32Array.of(2, 0),
 *   logits: [1, 2, 3, 4, 5, 6],
 *   values: 2,
 * });
 * assert.deepEqual([...values], [3, 4]);
 * ```
 */
export const selectColumn: Kernel<RowsShape, "labels" | "logits" | "values"> = {
  name: "select_column",
  wgsl,
  entryPoint: "forward",
  bindings: [
    { name: "labels", access: "read", bytes: ({ rows }) => bytes32(rows) },
    { name: "logits", access: "read", bytes: ({ rows, columns }) => bytes32(rows * columns) },
    { name: "values", access: "read-write", bytes: ({ rows }) => bytes32(rows) },
  ],
  constants: ({ rows, columns }) => ({ rows, columns }),
  workgroups: ({ rows }) => foldWorkgroups(rows),
};

/**
 * Gradient of {@link selectColumn} with respect to the logits, written or added.
 * @cost 4 bytes written a value, and 4 read where it accumulates. An invocation takes one value.
 * @example
 * ```ts
 * import { run, selectColumnBackward } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const shape = { rows: 2, columns: 3, accumulate: false };
 * const { logitsGradient } = await run(selectColumnBackward, shape, {
 *   labels: Uint32Array.of(2, 0),
 *   valueGradient: [7, 8],
 *   logitsGradient: 6,
 * });
 * assert.deepEqual([...logitsGradient], [0, 0, 7, 8, 0, 0]);
 * ```
 */
export const selectColumnBackward: Kernel<
  RowsShape & { readonly accumulate: boolean },
  "labels" | "valueGradient" | "logitsGradient"
> = {
  name: "select_column_backward",
  wgsl,
  entryPoint: "backward",
  bindings: [
    { name: "labels", access: "read", bytes: ({ rows }) => bytes32(rows) },
    { name: "valueGradient", access: "read", bytes: ({ rows }) => bytes32(rows) },
    { name: "logitsGradient", access: "read-write", bytes: ({ rows, columns }) => bytes32(rows * columns) },
  ],
  constants: ({ rows, columns, accumulate }) => ({ rows, columns, accumulate: Number(accumulate) }),
  workgroups: ({ rows, columns }) => foldWorkgroups(rows * columns),
};
