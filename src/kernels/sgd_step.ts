import wgsl from "../../shaders/sgd_step.wgsl" with { type: "text" };
import type { VectorShape } from "./add.ts";
import { bytes32, foldWorkgroups, type Kernel } from "./kernel.ts";

/** A step of SGD on a flat vector. */
export interface SgdStepShape extends VectorShape {
  readonly momentum: number;
  readonly weightDecay: number;
}

/** SGD with momentum in PyTorch's form; the velocity starts at 0. */
export const sgdStep: Kernel<SgdStepShape, "gradient" | "schedule" | "status" | "velocity" | "parameters"> = {
  name: "sgd_step",
  wgsl,
  bindings: [
    { name: "gradient", access: "read", bytes: ({ length }) => bytes32(length) },
    { name: "schedule", access: "read", bytes: () => 16 },
    { name: "status", access: "read", bytes: () => 16 },
    { name: "velocity", access: "read-write", bytes: ({ length }) => bytes32(length) },
    { name: "parameters", access: "read-write", bytes: ({ length }) => bytes32(length) },
  ],
  constants: ({ momentum, weightDecay }) => ({ momentum, weightDecay }),
  workgroups: ({ length }) => foldWorkgroups(length / 4),
};
