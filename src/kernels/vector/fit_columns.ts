import wgsl from "../../../shaders/vector/fit_columns.wgsl" with { type: "text" };
import { bytes32, foldWorkgroups, type Kernel } from "../kernel.ts";

/** Rows that change their width. */
export interface FitColumnsShape {
  readonly rows: number;
  readonly sourceColumns: number;
  readonly fittedColumns: number;
  /** Whether to add to what the rows hold. */
  readonly accumulate: boolean;
}

/**
 * Rows padded with zeros or cut: `[rows, sourceColumns]` → `[rows, fittedColumns]`. Padding gives images of 1 or 3
 * channels the multiple of 4 that the convolutions need.
 * @cost 4 bytes read and 4 written a value: bound by bandwidth. An invocation takes one value.
 * @example
 * ```ts
 * import { fitColumns, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const shape = { rows: 2, sourceColumns: 3, fittedColumns: 4, accumulate: false };
 * const { fitted } = await run(fitColumns, shape, { source: [1, 2, 3, 4, 5, 6], fitted: 8 });
 * assert.deepEqual([...fitted], [1, 2, 3, 0, 4, 5, 6, 0]);
 * ```
 */
export const fitColumns: Kernel<FitColumnsShape, "source" | "fitted"> = {
  name: "fit_columns",
  wgsl,
  bindings: [
    { name: "source", access: "read", bytes: ({ rows, sourceColumns }) => bytes32(rows * sourceColumns) },
    {
      name: "fitted",
      access: "read-write",
      bytes: ({ rows, fittedColumns }) => bytes32(rows * fittedColumns),
    },
  ],
  constants: ({ rows, sourceColumns, fittedColumns, accumulate }) => ({
    rows,
    sourceColumns,
    fittedColumns,
    accumulate: Number(accumulate),
  }),
  uniforms: { rows: "u32", sourceColumns: "u32", fittedColumns: "u32", accumulate: "u32" },
  workgroups: ({ rows, fittedColumns }) => foldWorkgroups(rows * fittedColumns),
};
