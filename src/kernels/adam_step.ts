import wgsl from "../../shaders/adam_step.wgsl" with { type: "text" };
import type { VectorShape } from "./add.ts";
import { bytes32, foldWorkgroups, type Kernel } from "./kernel.ts";

/** A step of Adam on a flat vector. */
export interface AdamStepShape extends VectorShape {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
}

/** Adam as `torch.optim.Adam`; the moments start at 0. */
export const adamStep: Kernel<
  AdamStepShape,
  "gradient" | "schedule" | "status" | "firstMoment" | "secondMoment" | "parameters"
> = {
  name: "adam_step",
  wgsl,
  bindings: [
    { name: "gradient", access: "read", bytes: ({ length }) => bytes32(length) },
    { name: "schedule", access: "read", bytes: () => 16 },
    { name: "status", access: "read", bytes: () => 16 },
    { name: "firstMoment", access: "read-write", bytes: ({ length }) => bytes32(length) },
    { name: "secondMoment", access: "read-write", bytes: ({ length }) => bytes32(length) },
    { name: "parameters", access: "read-write", bytes: ({ length }) => bytes32(length) },
  ],
  constants: ({ beta1, beta2, epsilon, weightDecay }) => ({
    beta1,
    beta2,
    complement1: 1 - beta1,
    complement2: 1 - beta2,
    epsilon,
    weightDecay,
  }),
  workgroups: ({ length }) => foldWorkgroups(length / 4),
};
