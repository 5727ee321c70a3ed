import wgsl from "../../shaders/batch_norm_backward_moments.wgsl" with { type: "text" };
import type { BatchNormActivationShape } from "./batch_norm_apply.ts";
import { batchNormChunks, batchNormConstants } from "./batch_norm_moments.ts";
import { bytes32, foldWorkgroups, type Kernel } from "./kernel.ts";

/** First stage of a batch norm's backward pass: for each chunk of rows, Σ g and Σ g·normal for each channel. */
export const batchNormBackwardMoments: Kernel<
  BatchNormActivationShape,
  "input" | "statistics" | "scale" | "shift" | "outputGradient" | "partials"
> = {
  name: "batch_norm_backward_moments",
  wgsl,
  bindings: [
    { name: "input", access: "read", bytes: ({ rows, channels }) => bytes32(rows * channels) },
    { name: "statistics", access: "read", bytes: ({ channels }) => bytes32(2 * channels) },
    { name: "scale", access: "read", bytes: ({ channels }) => bytes32(channels) },
    { name: "shift", access: "read", bytes: ({ channels }) => bytes32(channels) },
    { name: "outputGradient", access: "read", bytes: ({ rows, channels }) => bytes32(rows * channels) },
    {
      name: "partials",
      access: "read-write",
      bytes: (shape) => bytes32(batchNormChunks(shape) * 2 * shape.channels),
    },
  ],
  constants: (shape) => ({ ...batchNormConstants(shape), slope: shape.slope }),
  workgroups: (shape) => foldWorkgroups(batchNormChunks(shape) * shape.channels / 4),
};
