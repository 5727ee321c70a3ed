import wgsl from "../../shaders/sam_scale.wgsl" with { type: "text" };
import { bytes32, type Kernel } from "./kernel.ts";

/** Partial sums of squares, and the radius of the ascent. */
export interface SamScaleShape {
  readonly partials: number;
  readonly rho: number;
}

/** Second stage of ‖T·g‖: scale = (ρ / (‖T·g‖ + 1e-12), ‖T·g‖). */
export const samScale: Kernel<SamScaleShape, "partials" | "scale"> = {
  name: "sam_scale",
  wgsl,
  bindings: [
    { name: "partials", access: "read", bytes: ({ partials }) => bytes32(partials) },
    { name: "scale", access: "read-write", bytes: () => bytes32(2) },
  ],
  constants: ({ partials, rho }) => ({ count: partials, rho }),
  workgroups: () => [1, 1, 1],
};
