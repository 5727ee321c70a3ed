import wgsl from "../../../shaders/vector/add_into.wgsl" with { type: "text" };
import type { ScaledVectorShape } from "./add.ts";
import { bytes32, foldWorkgroups, type Kernel } from "../kernel.ts";

/**
 * target += factor · source, element by element.
 * @cost A multiply-add, 8 bytes read and 4 written a value: bound by bandwidth. An invocation takes 4 values.
 * @example
 * ```ts
 * import { addInto, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const { target } = await run(addInto, { length: 3, factor: -1 }, { source: [1, 2, 3], target: [5, 5, 5] });
 * assert.deepEqual([...target], [4, 3, 2]);
 * ```
 */
export const addInto: Kernel<ScaledVectorShape, "source" | "target"> = {
  name: "add_into",
  wgsl,
  bindings: [
    { name: "source", access: "read", bytes: ({ length }) => bytes32(length) },
    { name: "target", access: "read-write", bytes: ({ length }) => bytes32(length) },
  ],
  constants: ({ factor }) => ({ factor }),
  uniforms: { factor: "f32" },
  workgroups: ({ length }) => foldWorkgroups(length / 4),
};
