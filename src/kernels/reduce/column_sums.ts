import wgsl from "../../../shaders/reduce/column_sums.wgsl" with { type: "text" };
import { type Binding, bytes32, foldWorkgroups, type Kernel, withTextures } from "../kernel.ts";

/** A row-major matrix. */
export interface ColumnSumsShape {
  readonly rows: number;
  readonly columns: number;
}

/** Rows that one invocation sums: few enough for many invocations, and far below some drivers' limit on loops. */
const rowsPerChunk = 256;

/** Number of chunks into which the rows are split. */
export function columnSumChunks({ rows }: ColumnSumsShape): number {
  return Math.ceil(rows / rowsPerChunk);
}

/** A matrix whose columns are summed, one chunk of rows after another. */
interface Sums extends ColumnSumsShape {
  readonly rowsPerChunk: number;
  /** Whether to add to what the sums hold. */
  readonly accumulate: boolean;
}

/** Invocations of a workgroup, as the shader defines them. */
const threads = 64;

/** Invocations that share a chunk of a column: one where each of several would sum only one row. */
function lanesFor({ rowsPerChunk }: Sums): number {
  return rowsPerChunk <= 8 ? 1 : 8;
}

/** A kernel that sums the columns of a matrix. `sumsOf` says which matrix belongs to a shape. */
export function columnSumming<Shape, Name extends string>(
  name: string,
  bindings: readonly Binding<Shape, Name>[],
  sumsOf: (shape: Shape) => Sums,
): Kernel<Shape, Name> {
  const isVectors = (shape: Shape) => sumsOf(shape).columns % 4 === 0;
  const chunks = (shape: Shape) => Math.ceil(sumsOf(shape).rows / sumsOf(shape).rowsPerChunk);
  const width = (shape: Shape) => isVectors(shape) ? sumsOf(shape).columns / 4 : sumsOf(shape).columns;
  const constants = (shape: Shape) => {
    const sums = sumsOf(shape);
    return { ...sums, accumulate: Number(sums.accumulate) };
  };
  return withTextures({
    name,
    wgsl,
    entryPoint: (shape) => isVectors(shape) ? "vectors" : "scalars",
    bindings,
    constants: (shape) => ({ ...constants(shape), lanes: lanesFor(sumsOf(shape)) }),
    uniforms: { rows: "u32", columns: "u32", rowsPerChunk: "u32", accumulate: "u32" },
    workgroups: (shape) =>
      foldWorkgroups(chunks(shape) * Math.ceil(width(shape) * lanesFor(sumsOf(shape)) / threads), 1),
  }, {
    entryPoint: (shape) => isVectors(shape) ? "vectorsThroughTexture" : "scalarsThroughTexture",
    constants,
    workgroups: (shape) => foldWorkgroups(chunks(shape) * width(shape)),
  });
}

/**
 * First stage of a sum over rows, `[rows, columns]` → `[chunks, columns]`. `sumPartials` is the second.
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
export const columnSums: Kernel<ColumnSumsShape, "matrix" | "partials"> = columnSumming(
  "column_sums",
  [
    { name: "matrix", access: "read", bytes: ({ rows, columns }) => bytes32(rows * columns) },
    {
      name: "partials",
      access: "read-write",
      bytes: (shape) => bytes32(columnSumChunks(shape) * shape.columns),
    },
  ],
  ({ rows, columns }) => ({ rows, columns, rowsPerChunk, accumulate: false }),
);
