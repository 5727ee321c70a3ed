import wgsl from "../../shaders/column_sums.wgsl" with { type: "text" };
import { bytes32, foldSums, foldWorkgroups, type Kernel, withTextures } from "./kernel.ts";

/** A row-major matrix. */
export interface ColumnSumsShape {
  readonly rows: number;
  readonly columns: number;
}

/** Rows that one invocation sums: few enough for many invocations, and far below the limit on loops of some drivers. */
const rowsPerChunk = 256;

/** Chunks into which the rows are split. */
export function columnSumChunks({ rows }: ColumnSumsShape): number {
  return Math.ceil(rows / rowsPerChunk);
}

function isVectors(columns: number): boolean {
  return columns % 4 === 0;
}

/** Columns, or vectors of four where they are summed. */
function width({ columns }: ColumnSumsShape): number {
  return isVectors(columns) ? columns / 4 : columns;
}

/**
 * First stage of a sum over rows, `[rows, columns]` → `[chunks, columns]`; `sumPartials` is the second.
 * @cost An addition and 4 bytes read a value: bound by bandwidth. A workgroup sums 256 rows of 8 columns, or of 32
 *   where their number is a multiple of 4.
 * @example
 * ```ts
 * import { columnSumChunks, columnSums, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const { partials } = await run(columnSums, { rows: 3, columns: 2 }, {
 *   matrix: [1, 2, 3, 4, 5, 6],
 *   partials: 2 * columnSumChunks({ rows: 3, columns: 2 }),
 * });
 * assert.deepEqual([...partials], [9, 12]); // one chunk, so these are the sums
 * ```
 */
export const columnSums: Kernel<ColumnSumsShape, "matrix" | "partials"> = withTextures({
  name: "column_sums",
  wgsl,
  entryPoint: ({ columns }) => isVectors(columns) ? "vectors" : "scalars",
  bindings: [
    { name: "matrix", access: "read", bytes: ({ rows, columns }) => bytes32(rows * columns) },
    {
      name: "partials",
      access: "read-write",
      bytes: (shape) => bytes32(columnSumChunks(shape) * shape.columns),
    },
  ],
  constants: ({ rows, columns }) => ({ rows, columns, rowsPerChunk }),
  uniforms: ["rows", "columns", "rowsPerChunk"],
  workgroups: (shape) => foldSums(columnSumChunks(shape), width(shape)),
}, {
  entryPoint: ({ columns }) => isVectors(columns) ? "vectorsThroughTexture" : "scalarsThroughTexture",
  workgroups: (shape) => foldWorkgroups(columnSumChunks(shape) * width(shape)),
});
