import wgsl from "../../shaders/leaky_relu.wgsl" with { type: "text" };
import backwardWgsl from "../../shaders/leaky_relu_backward.wgsl" with { type: "text" };
import type { VectorShape } from "./add.ts";
import { bytes32, foldWorkgroups, type Kernel } from "./kernel.ts";

/** A vector and the slope of a LeakyReLU below zero. */
export interface LeakyReluShape extends VectorShape {
  readonly slope: number;
}

/** output = input where it is positive, slope · input elsewhere. */
export const leakyRelu: Kernel<LeakyReluShape, "input" | "output"> = {
  name: "leaky_relu",
  wgsl,
  bindings: [
    { name: "input", access: "read", bytes: ({ length }) => bytes32(length) },
    { name: "output", access: "read-write", bytes: ({ length }) => bytes32(length) },
  ],
  constants: ({ slope }) => ({ slope }),
  workgroups: ({ length }) => foldWorkgroups(length / 4),
};

/** Gradient of {@link leakyRelu} by its input, written or added. */
export const leakyReluBackward: Kernel<
  LeakyReluShape & { readonly accumulate: boolean },
  "input" | "outputGradient" | "inputGradient"
> = {
  name: "leaky_relu_backward",
  wgsl: backwardWgsl,
  bindings: [
    { name: "input", access: "read", bytes: ({ length }) => bytes32(length) },
    { name: "outputGradient", access: "read", bytes: ({ length }) => bytes32(length) },
    { name: "inputGradient", access: "read-write", bytes: ({ length }) => bytes32(length) },
  ],
  constants: ({ slope, accumulate }) => ({ slope, accumulate: Number(accumulate) }),
  workgroups: ({ length }) => foldWorkgroups(length / 4),
};
