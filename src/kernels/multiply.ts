import wgsl from "../../shaders/multiply.wgsl" with { type: "text" };
import type { ScaledVectorShape, VectorShape } from "./add.ts";
import { bytes32, foldWorkgroups, type Kernel } from "./kernel.ts";

/** product = first · second, element by element. */
export const multiply: Kernel<VectorShape, "first" | "second" | "product"> = {
  name: "multiply",
  wgsl,
  entryPoint: "multiply",
  bindings: [
    { name: "first", access: "read", bytes: ({ length }) => bytes32(length) },
    { name: "second", access: "read", bytes: ({ length }) => bytes32(length) },
    { name: "product", access: "read-write", bytes: ({ length }) => bytes32(length) },
  ],
  constants: () => ({}),
  workgroups: ({ length }) => foldWorkgroups(length / 4),
};

/** target += factor · first · second, element by element. */
export const multiplyInto: Kernel<ScaledVectorShape, "first" | "second" | "target"> = {
  name: "multiply_into",
  wgsl,
  entryPoint: "multiplyInto",
  bindings: [
    { name: "first", access: "read", bytes: ({ length }) => bytes32(length) },
    { name: "second", access: "read", bytes: ({ length }) => bytes32(length) },
    { name: "target", access: "read-write", bytes: ({ length }) => bytes32(length) },
  ],
  constants: ({ factor }) => ({ factor }),
  workgroups: ({ length }) => foldWorkgroups(length / 4),
};
