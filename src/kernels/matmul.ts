import wgsl from "../../shaders/matmul.wgsl" with { type: "text" };
import { bytes32, foldWorkgroups, type Kernel, requireShape } from "./kernel.ts";

/** A matrix product `[rows, inner]` · `[inner, columns]`. */
export interface MatmulShape {
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  /** The left factor is stored as `[inner, rows]`. */
  readonly transposeLeft: boolean;
  /** The right factor is stored as `[columns, inner]`. */
  readonly transposeRight: boolean;
  /** Add to what is there. */
  readonly accumulate: boolean;
  /** Add a bias to every row; without it any buffer but the product's may be bound in its place. */
  readonly bias: boolean;
}

/** product (=|+=) op(left) · op(right) (+ bias), with matrices stored row by row. */
export const matmul: Kernel<MatmulShape, "left" | "right" | "bias" | "product"> = {
  name: "matmul",
  wgsl,
  bindings: [
    { name: "left", access: "read", bytes: ({ rows, inner }) => bytes32(rows * inner) },
    { name: "right", access: "read", bytes: ({ inner, columns }) => bytes32(inner * columns) },
    { name: "bias", access: "read", bytes: ({ bias, columns }) => bytes32(bias ? columns : 1) },
    { name: "product", access: "read-write", bytes: ({ rows, columns }) => bytes32(rows * columns) },
  ],
  constants: ({ rows, columns, inner, transposeLeft, transposeRight, accumulate, bias }) => {
    requireShape(
      inner <= 65_535,
      "matmul",
      `inner dimension ${inner}; at most 65,535 are summed by one loop`,
    );
    return {
      rows,
      columns,
      inner,
      transposeLeft: Number(transposeLeft),
      transposeRight: Number(transposeRight),
      accumulate: Number(accumulate),
      addBias: Number(bias),
    };
  },
  workgroups: ({ rows, columns }) => foldWorkgroups(Math.ceil(rows / 4) * Math.ceil(columns / 4)),
};
