import wgsl from "../../../shaders/vector/broadcast.wgsl" with { type: "text" };
import type { ScaledVectorShape } from "./add.ts";
import { bytes32, foldWorkgroups, type Kernel } from "../kernel.ts";

/**
 * target (=|+=) factor · scalar, for every element.
 * @cost 4 bytes written a value, and 4 read where it accumulates: bound by bandwidth. An invocation takes 4 values.
 * @example
 * ```ts
 * import { broadcast, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const shape = { length: 4, factor: 0.5, accumulate: false };
 * const { target } = await run(broadcast, shape, { scalar: [3], target: 4 });
 * assert.deepEqual([...target], [1.5, 1.5, 1.5, 1.5]);
 * ```
 */
export const broadcast: Kernel<ScaledVectorShape & { readonly accumulate: boolean }, "scalar" | "target"> = {
  name: "broadcast",
  wgsl,
  bindings: [
    { name: "scalar", access: "read", bytes: () => bytes32(1) },
    { name: "target", access: "read-write", bytes: ({ length }) => bytes32(length) },
  ],
  constants: ({ factor, accumulate }) => ({ factor, accumulate: Number(accumulate) }),
  uniforms: { factor: "f32", accumulate: "u32" },
  workgroups: ({ length }) => foldWorkgroups(length / 4),
};
