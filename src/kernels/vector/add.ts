import wgsl from "../../../shaders/vector/add.wgsl" with { type: "text" };
import { bytes32, foldWorkgroups, type Kernel, withTextures } from "../kernel.ts";

/** Vectors of one length. */
export interface VectorShape {
  readonly length: number;
}

/** Vectors of one length, one of which is multiplied by a number. */
export interface ScaledVectorShape extends VectorShape {
  readonly factor: number;
}

/**
 * sum = first + factor · second, element by element.
 * @cost A multiply-add, 8 bytes read and 4 written a value: bound by bandwidth. An invocation takes 4 values.
 * @example
 * ```ts
 * import { add, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const { sum } = await run(add, { length: 3, factor: 10 }, { first: [1, 2, 3], second: [4, 5, 6], sum: 3 });
 * assert.deepEqual([...sum], [41, 52, 63]);
 * ```
 */
export const add: Kernel<ScaledVectorShape, "first" | "second" | "sum"> = withTextures({
  name: "add",
  wgsl,
  bindings: [
    { name: "first", access: "read", alias: "First", bytes: ({ length }) => bytes32(length) },
    { name: "second", access: "read", alias: "Second", bytes: ({ length }) => bytes32(length) },
    { name: "sum", access: "read-write", alias: "Sum", bytes: ({ length }) => bytes32(length) },
  ],
  constants: ({ factor }) => ({ factor }),
  uniforms: { factor: "f32" },
  workgroups: ({ length }) => foldWorkgroups(length / 4),
});
