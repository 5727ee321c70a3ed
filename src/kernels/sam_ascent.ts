import wgsl from "../../shaders/sam_ascent.wgsl" with { type: "text" };
import { bytes32, foldWorkgroups, type Kernel } from "./kernel.ts";
import type { SamShape } from "./sam_norm.ts";

/** SAM's climb: θ += ρ·T²·g / (‖T·g‖ + 1e-12), with the factor that `samScale` computed. */
export const samAscent: Kernel<SamShape, "gradient" | "scale" | "parameters"> = {
  name: "sam_ascent",
  wgsl,
  bindings: [
    { name: "gradient", access: "read", bytes: ({ length }) => bytes32(length) },
    { name: "scale", access: "read", bytes: () => bytes32(2) },
    { name: "parameters", access: "read-write", bytes: ({ length }) => bytes32(length) },
  ],
  constants: ({ adaptive }) => ({ adaptive: Number(adaptive) }),
  workgroups: ({ length }) => foldWorkgroups(length / 4),
};
