import wgsl from "../../shaders/select_column.wgsl" with { type: "text" };
import { bytes32, foldWorkgroups, type Kernel } from "./kernel.ts";
import type { RowsShape } from "./log_sum_exp.ts";

/** values[r] = logits[r, labels[r]], `[rows, columns]` → `[rows]`. */
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

/** Gradient of {@link selectColumn} by the logits, written or added. */
export const selectColumnBackward: Kernel<
  RowsShape & { readonly accumulate: boolean },
  "labels" | "valueGradient" | "logitsGradient"
> = {
  name: "select_column",
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
