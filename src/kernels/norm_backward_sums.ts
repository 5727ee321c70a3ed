import wgsl from "../../shaders/norm_backward_sums.wgsl" with { type: "text" };
import { bytes32, foldWorkgroups, type Kernel } from "./kernel.ts";
import type { NormShape } from "./norm_moments.ts";
import { partialMoments } from "./norm_statistics.ts";

/** Second stage of a normalisation's backward pass: Σ g and Σ g·normal for each group's channels, `[groups, C]`. */
export const normBackwardSums: Kernel<NormShape, "partials" | "shiftSum" | "scaleSum"> = {
  name: "norm_backward_sums",
  wgsl,
  bindings: [
    partialMoments,
    { name: "shiftSum", access: "read-write", bytes: ({ groups, channels }) => bytes32(groups * channels) },
    { name: "scaleSum", access: "read-write", bytes: ({ groups, channels }) => bytes32(groups * channels) },
  ],
  constants: ({ groups, channels }) => ({ groups, channels }),
  workgroups: ({ groups, channels }) => foldWorkgroups(groups * channels / 4, 8),
};
