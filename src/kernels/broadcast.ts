import wgsl from "../../shaders/broadcast.wgsl" with { type: "text" };
import type { ScaledVectorShape } from "./add.ts";
import { bytes32, foldWorkgroups, type Kernel } from "./kernel.ts";

/** target (=|+=) factor · scalar, for every element. */
export const broadcast: Kernel<ScaledVectorShape & { readonly accumulate: boolean }, "scalar" | "target"> = {
  name: "broadcast",
  wgsl,
  bindings: [
    { name: "scalar", access: "read", bytes: () => bytes32(1) },
    { name: "target", access: "read-write", bytes: ({ length }) => bytes32(length) },
  ],
  constants: ({ factor, accumulate }) => ({ factor, accumulate: Number(accumulate) }),
  workgroups: ({ length }) => foldWorkgroups(length / 4),
};
