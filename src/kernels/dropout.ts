import wgsl from "../../shaders/dropout.wgsl" with { type: "text" };
import type { VectorShape } from "./add.ts";
import { bytes32, foldWorkgroups, type Kernel, requireShape } from "./kernel.ts";

/** Values of which a share is set to zero. */
export interface DropoutShape extends VectorShape {
  /** Probability that a value is dropped, at least 0 and below 1. */
  readonly rate: number;
  /** Add to what is there. */
  readonly accumulate: boolean;
}

/** output (=|+=) input / (1 − rate) where a uniform number is at least the rate: its own gradient as well. */
export const dropout: Kernel<DropoutShape, "input" | "uniforms" | "output"> = {
  name: "dropout",
  wgsl,
  bindings: [
    { name: "input", access: "read", bytes: ({ length }) => bytes32(length) },
    { name: "uniforms", access: "read", bytes: ({ length }) => bytes32(length) },
    { name: "output", access: "read-write", bytes: ({ length }) => bytes32(length) },
  ],
  constants: ({ rate, accumulate }) => {
    requireShape(rate >= 0 && rate < 1, "dropout", `rate ${rate}; it must be at least 0 and below 1`);
    return { rate, accumulate: Number(accumulate) };
  },
  workgroups: ({ length }) => foldWorkgroups(length / 4),
};
