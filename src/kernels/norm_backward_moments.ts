import wgsl from "../../shaders/norm_backward_moments.wgsl" with { type: "text" };
import { bytes32, foldWorkgroups, type Kernel } from "./kernel.ts";
import { type NormActivationShape, normOperands } from "./norm_apply.ts";
import { normBytes, normChunks, normConstants } from "./norm_moments.ts";

/** First stage of a normalisation's backward pass: Σ g and Σ g·normal for each chunk of rows. */
export const normBackwardMoments: Kernel<
  NormActivationShape,
  "input" | "statistics" | "scale" | "shift" | "outputGradient" | "partials"
> = {
  name: "norm_backward_moments",
  wgsl,
  bindings: [
    ...normOperands,
    { name: "outputGradient", access: "read", bytes: normBytes },
    {
      name: "partials",
      access: "read-write",
      bytes: (shape) => bytes32(normChunks(shape) * 2 * shape.channels),
    },
  ],
  constants: (shape) => ({ ...normConstants(shape), slope: shape.slope }),
  workgroups: (shape) => foldWorkgroups(normChunks(shape) * shape.channels / 4),
};
