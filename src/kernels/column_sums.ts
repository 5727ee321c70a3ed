import wgsl from "../../shaders/column_sums.wgsl" with { type: "text" };
import { bytes32, foldWorkgroups, type Kernel } from "./kernel.ts";

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

/** First stage of a sum over rows, `[rows, columns]` → `[chunks, columns]`; `sumPartials` is the second. */
export const columnSums: Kernel<ColumnSumsShape, "matrix" | "partials"> = {
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
  workgroups: (shape) => {
    const { columns } = shape;
    return foldWorkgroups(columnSumChunks(shape) * (isVectors(columns) ? columns / 4 : columns));
  },
};
