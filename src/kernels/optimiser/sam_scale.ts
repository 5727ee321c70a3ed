import wgsl from "../../../shaders/optimiser/sam_scale.wgsl" with { type: "text" };
import { bytes32, type Kernel } from "../kernel.ts";

/** Partial sums of squares, and the radius of the ascent. */
export interface SamScaleOptions {
  /** Number of partial sums. */
  readonly partials: number;
  /** Radius ρ of the ascent. */
  readonly rho: number;
}

/**
 * Second stage of ‖T·g‖: scale = (ρ / (‖T·g‖ + 1e-12), ‖T·g‖).
 * @cost An addition and 4 bytes read a partial sum. One workgroup of 256.
 * @example
 * ```ts
 * import { run, samScale } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const { scale } = await run(samScale, { partials: 2, rho: 2 }, { partials: [9, 16], scale: 2 });
 * [2 / 5, 5].forEach((value, i) => assert.ok(Math.abs(scale[i]! - value) < 1e-6));
 * ```
 */
export const samScale: Kernel<SamScaleOptions, "partials" | "scale"> = {
  name: "sam_scale",
  wgsl,
  bindings: [
    { name: "partials", access: "read", bytes: ({ partials }) => bytes32(partials) },
    { name: "scale", access: "read-write", bytes: () => bytes32(2) },
  ],
  constants: ({ partials, rho }) => ({ count: partials, rho }),
  workgroups: () => [1, 1, 1],
};
