import wgsl from "../../shaders/batch_norm_backward_apply.wgsl" with { type: "text" };
import { type BatchNormActivationShape, rowsPerInvocation } from "./batch_norm_apply.ts";
import { bytes32, foldWorkgroups, type Kernel } from "./kernel.ts";

/** A batch norm whose gradient by its input is wanted. */
export interface BatchNormBackwardShape extends BatchNormActivationShape {
  /** Whether the batch's own statistics normalised, so that the gradient passes through them too. */
  readonly batchStatistics: boolean;
  /** Add to what is there. */
  readonly accumulate: boolean;
}

/** Third stage of a batch norm's backward pass: the gradient by its input, `[rows, C]`. */
export const batchNormBackwardApply: Kernel<
  BatchNormBackwardShape,
  "input" | "statistics" | "scale" | "shift" | "outputGradient" | "shiftSum" | "scaleSum" | "inputGradient"
> = {
  name: "batch_norm_backward_apply",
  wgsl,
  bindings: [
    { name: "input", access: "read", bytes: ({ rows, channels }) => bytes32(rows * channels) },
    { name: "statistics", access: "read", bytes: ({ channels }) => bytes32(2 * channels) },
    { name: "scale", access: "read", bytes: ({ channels }) => bytes32(channels) },
    { name: "shift", access: "read", bytes: ({ channels }) => bytes32(channels) },
    { name: "outputGradient", access: "read", bytes: ({ rows, channels }) => bytes32(rows * channels) },
    { name: "shiftSum", access: "read", bytes: ({ channels }) => bytes32(channels) },
    { name: "scaleSum", access: "read", bytes: ({ channels }) => bytes32(channels) },
    { name: "inputGradient", access: "read-write", bytes: ({ rows, channels }) => bytes32(rows * channels) },
  ],
  constants: ({ channels, slope, batchStatistics, accumulate }) => ({
    channels,
    slope,
    batchStatistics: Number(batchStatistics),
    accumulate: Number(accumulate),
  }),
  workgroups: ({ rows, channels }) => foldWorkgroups(Math.ceil(rows / rowsPerInvocation) * channels / 4),
};
