import wgsl from "../../../shaders/vector/multiply.wgsl" with { type: "text" };
import type { ScaledVectorShape, VectorShape } from "./add.ts";
import { bytes32, foldWorkgroups, type Kernel } from "../kernel.ts";

/**
 * product = first · second, element by element.
 * @cost A multiplication, 8 bytes read and 4 written a value: bound by bandwidth. An invocation takes 4 values.
 * @example
 * ```ts
 * import { multiply, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const { product } = await run(multiply, { length: 3 }, { first: [1, 2, 3], second: [4, 5, 6], product: 3 });
 * assert.deepEqual([...product], [4, 10, 18]);
 * ```
 */
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

/**
 * target += factor · first · second, element by element.
 * @cost A multiplication, a multiply-add, 12 bytes read and 4 written a value: bound by bandwidth. An invocation
 *   takes 4 values.
 * @example
 * ```ts
 * import { multiplyInto, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const { target } = await run(multiplyInto, { length: 3, factor: 2 }, {
 *   first: [1, 2, 3],
 *   second: [4, 5, 6],
 *   target: [100, 100, 100],
 * });
 * assert.deepEqual([...target], [108, 120, 136]);
 * ```
 */
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
