import wgsl from "../../shaders/softmax_cross_entropy.wgsl" with { type: "text" };
import backwardWgsl from "../../shaders/softmax_cross_entropy_backward.wgsl" with { type: "text" };
import { bytes32, foldWorkgroups, type Kernel, requireShape } from "./kernel.ts";
import { rowConstants, type RowsShape } from "./log_sum_exp.ts";

/** Cross-entropy of each row with its label, and whether the label has the largest logit. */
export const softmaxCrossEntropy: Kernel<RowsShape, "logits" | "labels" | "losses" | "correct"> = {
  name: "softmax_cross_entropy",
  wgsl,
  bindings: [
    { name: "logits", access: "read", bytes: ({ rows, columns }) => bytes32(rows * columns) },
    { name: "labels", access: "read", bytes: ({ rows }) => bytes32(rows) },
    { name: "losses", access: "read-write", bytes: ({ rows }) => bytes32(rows) },
    { name: "correct", access: "read-write", bytes: ({ rows }) => bytes32(rows) },
  ],
  constants: rowConstants,
  workgroups: ({ rows }) => foldWorkgroups(rows),
};

/** Gradient of {@link softmaxCrossEntropy} by the logits, written or added. */
export const softmaxCrossEntropyBackward: Kernel<
  RowsShape & { readonly accumulate: boolean },
  "logits" | "labels" | "lossGradient" | "logitsGradient"
> = {
  name: "softmax_cross_entropy_backward",
  wgsl: backwardWgsl,
  bindings: [
    { name: "logits", access: "read", bytes: ({ rows, columns }) => bytes32(rows * columns) },
    { name: "labels", access: "read", bytes: ({ rows }) => bytes32(rows) },
    { name: "lossGradient", access: "read", bytes: ({ rows }) => bytes32(rows) },
    { name: "logitsGradient", access: "read-write", bytes: ({ rows, columns }) => bytes32(rows * columns) },
  ],
  constants: (shape) => {
    requireShape(shape.columns <= 20_000, "rows", `${shape.columns} columns; at most 20,000 are summed`);
    return { ...rowConstants(shape), accumulate: Number(shape.accumulate) };
  },
  workgroups: ({ rows }) => foldWorkgroups(rows),
};
