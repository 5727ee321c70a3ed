import wgsl from "../../../shaders/optimiser/sam_ascent.wgsl" with { type: "text" };
import { bytes32, foldWorkgroups, type Kernel } from "../kernel.ts";
import type { SamShape } from "./sam_norm.ts";

/**
 * SAM's ascent: θ += ρ·T²·g / (‖T·g‖ + 1e-12), with the factor that `samScale` computed.
 * @cost A multiply-add, 8 bytes read and 4 written a parameter: bound by bandwidth. An invocation takes 4 parameters.
 * @example
 * ```ts
 * import { run, samAscent } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const { parameters } = await run(samAscent, { length: 4, adaptive: false }, {
 *   gradient: [3, 0, 4, 0],
 *   scale: [2 / 5, 5], // ρ = 2 divided by the norm, and the norm
 *   parameters: [0, 0, 0, 1],
 * });
 * [1.2, 0, 1.6, 1].forEach((value, i) => assert.ok(Math.abs(parameters[i]! - value) < 1e-6));
 * ```
 */
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
