import wgsl from "../../../shaders/matmul/matmul.wgsl" with { type: "text" };
import {
  type Binding,
  bytes32,
  foldWorkgroups,
  type Kernel,
  mostLoopIterations,
  requireShape,
  withTextures,
} from "../kernel.ts";

/** A matrix product `[rows, inner]` · `[inner, columns]`. */
export interface MatmulShape {
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  /** Whether the left factor is stored as `[inner, rows]`. */
  readonly transposeLeft: boolean;
  /** Whether the right factor is stored as `[columns, inner]`. */
  readonly transposeRight: boolean;
  /** Whether to add to what the product holds. */
  readonly accumulate: boolean;
  /** Whether to add a bias to every row. If not, any buffer but the product's may be bound in its place. */
  readonly bias: boolean;
}

/** Invocations that share the inner dimension of 4 × 4 products: a power of two, small enough that none is idle. */
function lanesFor(inner: number): number {
  return Math.min(64, 2 ** Math.floor(Math.log2(inner)));
}

/** Number of blocks of 4 × 4 products. */
function blocks({ rows, columns }: MatmulShape): number {
  return Math.ceil(rows / 4) * Math.ceil(columns / 4);
}

const bindings: readonly Binding<MatmulShape, "left" | "right" | "bias" | "product">[] = [
  { name: "left", access: "read", bytes: ({ rows, inner }) => bytes32(rows * inner) },
  { name: "right", access: "read", bytes: ({ inner, columns }) => bytes32(inner * columns) },
  { name: "bias", access: "read", bytes: ({ bias, columns }) => bytes32(bias ? columns : 1) },
  { name: "product", access: "read-write", bytes: ({ rows, columns }) => bytes32(rows * columns) },
];

/**
 * product (=|+=) op(left) · op(right) (+ bias), with matrices stored row by row.
 * @throws {RangeError} if the inner dimension exceeds 65,535.
 * @cost rows · columns · inner multiply-adds. 16 of them take 8 loads of single values. Up to 64 invocations share the
 *   sums of 4 × 4 products and add them in workgroup memory; on software adapters one invocation computes them alone.
 *   Meant for the small matrices of a classifier’s head.
 * @example
 * ```ts
 * import { matmul, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const shape = {
 *   rows: 2,
 *   columns: 2,
 *   inner: 3,
 *   transposeLeft: false,
 *   transposeRight: true,
 *   accumulate: false,
 *   bias: true,
 * };
 * const { product } = await run(matmul, shape, {
 *   left: [1, 2, 3, 4, 5, 6],
 *   right: [1, 0, 0, 0, 1, 1], // the columns (1, 0, 0) and (0, 1, 1), one after the other
 *   bias: [0, 100],
 *   product: 4,
 * });
 * assert.deepEqual([...product], [1, 105, 4, 111]);
 * ```
 */
export const matmul: Kernel<MatmulShape, "left" | "right" | "bias" | "product"> = withTextures({
  name: "matmul",
  wgsl,
  bindings,
  constants: ({ rows, columns, inner, transposeLeft, transposeRight, accumulate, bias }) => {
    requireShape(
      inner <= mostLoopIterations,
      "matmul",
      `inner dimension ${inner}; at most ${mostLoopIterations} are summed by one loop`,
    );
    return {
      rows,
      columns,
      inner,
      transposeLeft: Number(transposeLeft),
      transposeRight: Number(transposeRight),
      accumulate: Number(accumulate),
      addBias: Number(bias),
      lanes: lanesFor(inner),
    };
  },
  uniforms: {
    rows: "u32",
    columns: "u32",
    inner: "u32",
    transposeLeft: "u32",
    transposeRight: "u32",
    addBias: "u32",
    accumulate: "u32",
    lanes: "u32",
  },
  workgroups: (shape) => foldWorkgroups(blocks(shape) * lanesFor(shape.inner)),
}, {
  name: "matmul_alone",
  entryPoint: "alone",
  bindings,
  workgroups: (shape) => foldWorkgroups(blocks(shape)),
});
