import wgsl from "../../shaders/add_into.wgsl" with { type: "text" };
import type { ScaledVectorShape } from "./add.ts";
import { bytes32, foldWorkgroups, type Kernel } from "./kernel.ts";

/** target += factor · source, element by element. */
export const addInto: Kernel<ScaledVectorShape, "source" | "target"> = {
  name: "add_into",
  wgsl,
  bindings: [
    { name: "source", access: "read", bytes: ({ length }) => bytes32(length) },
    { name: "target", access: "read-write", bytes: ({ length }) => bytes32(length) },
  ],
  constants: ({ factor }) => ({ factor }),
  workgroups: ({ length }) => foldWorkgroups(length / 4),
};
