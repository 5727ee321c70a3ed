import { columnSumming } from "./column_sums.ts";
import { bytes32, type Kernel, mostLoopIterations, requireShape } from "../kernel.ts";

/** Parts of a sum of vectors. */
export interface SumPartialsShape {
  /** Number of parts. */
  readonly partials: number;
  /** Values of each part. */
  readonly length: number;
  /** Whether to add to what the sum holds. */
  readonly accumulate: boolean;
}

/**
 * Second stage of a reduction: sum (=|+=) Σ_p partials[p], in a fixed order; `[partials, length]` → `[length]`.
 * @throws {RangeError} if there are more than 65,535 parts.
 * @cost An addition and 4 bytes read a value of the parts: bound by bandwidth. A workgroup takes eight elements of the
 *   sum, or 64 of up to eight parts, and four times as many where the length allows.
 * @example
 * ```ts
 * import { run, sumPartials } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const { sum } = await run(sumPartials, { partials: 3, length: 2, accumulate: false }, {
 *   partials: [1, 2, 10, 20, 100, 200],
 *   sum: 2,
 * });
 * assert.deepEqual([...sum], [111, 222]);
 * ```
 */
export const sumPartials: Kernel<SumPartialsShape, "partials" | "sum"> = columnSumming(
  "sum_partials",
  [
    { name: "partials", access: "read", bytes: ({ partials, length }) => bytes32(partials * length) },
    { name: "sum", access: "read-write", bytes: ({ length }) => bytes32(length) },
  ],
  ({ partials, length, accumulate }) => {
    requireShape(
      partials <= mostLoopIterations,
      "sum_partials",
      `${partials} parts; at most ${mostLoopIterations} are summed by one loop`,
    );
    return { rows: partials, columns: length, rowsPerChunk: partials, accumulate };
  },
);
