import wgsl from "../../shaders/log_sum_exp.wgsl" with { type: "text" };
import backwardWgsl from "../../shaders/log_sum_exp_backward.wgsl" with { type: "text" };
import { bytes32, foldWorkgroups, type Kernel, requireShape } from "./kernel.ts";

/** A row-major matrix. */
export interface RowsShape {
  readonly rows: number;
  readonly columns: number;
}

/** Constants of kernels that go through the columns of a row twice in one invocation. */
export function rowConstants({ rows, columns }: RowsShape): Record<string, number> {
  requireShape(columns <= 30_000, "rows", `${columns} columns; at most 30,000 are summed by one loop`);
  return { rows, columns };
}

/** log Σ exp over each row, `[rows, columns]` → `[rows]`. */
export const logSumExp: Kernel<RowsShape, "logits" | "values"> = {
  name: "log_sum_exp",
  wgsl,
  bindings: [
    { name: "logits", access: "read", bytes: ({ rows, columns }) => bytes32(rows * columns) },
    { name: "values", access: "read-write", bytes: ({ rows }) => bytes32(rows) },
  ],
  constants: rowConstants,
  workgroups: ({ rows }) => foldWorkgroups(rows),
};

/** Gradient of {@link logSumExp} by the logits, written or added. */
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
