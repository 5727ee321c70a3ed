import wgsl from "../../../shaders/random/philox.wgsl" with { type: "text" };
import type { VectorShape } from "../vector/add.ts";
import {
  type Binding,
  bytes32,
  foldWorkgroups,
  type Kernel,
  requireShape,
  type Uniforms,
} from "../kernel.ts";

/** Random values. */
export interface RandomShape extends VectorShape {
  /** Keeps users with the same seed and step apart. */
  readonly purpose: number;
  /** The block of four numbers at which the values begin; 0 by default. */
  readonly first?: number;
}

/** Number of blocks of four in a stream, by the width of their index. */
export const blocksOfStream: number = 2 ** 32;

const bindings: readonly Binding<VectorShape, "stream" | "values">[] = [
  { name: "stream", access: "read", bytes: () => 16 },
  { name: "values", access: "read-write", bytes: ({ length }) => bytes32(length) },
];

const uniforms: Uniforms = { purpose: "u32", first: "u32" };

function blocks({ length, purpose, first = 0 }: RandomShape): Record<string, number> {
  requireShape(
    first + Math.ceil(length / 4) <= blocksOfStream,
    "philox",
    `${length} values from block ${first} on; a stream ends at block ${blocksOfStream}`,
  );
  return { purpose, first };
}

const workgroups = ({ length }: VectorShape) => foldWorkgroups(length / 4);

/**
 * Uniform values in [low, high); `stream` is uint32 (seed low, seed high, step, call).
 * @cost Some 25 integer operations and 4 bytes written a value. An invocation computes one block of 4 values.
 * @example
 * ```ts
 * import { philoxUniform, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const { values } = await run(philoxUniform, { length: 1000, purpose: 0, low: -1, high: 1 }, {
 *   stream: Uint32Array.of(1, 0, 0, 0),
 *   values: 1000,
 * });
 * assert.ok(values.every((value) => value >= -1 && value < 1));
 * assert.ok(Math.abs(values.reduce((sum, value) => sum + value) / 1000) < 0.1);
 * ```
 */
export const philoxUniform: Kernel<
  RandomShape & { readonly low: number; readonly high: number },
  "stream" | "values"
> = {
  name: "philox_uniform",
  wgsl,
  entryPoint: "uniformValues",
  bindings,
  constants: ({ low, high, ...shape }) => ({ ...blocks(shape), low, high }),
  uniforms,
  workgroups,
};

/**
 * Standard normal values; `stream` is uint32 (seed low, seed high, step, call).
 * @cost That of `philoxUniform`, and a square root, a logarithm, a sine or cosine for each value (Box–Muller).
 * @example
 * ```ts
 * import { philoxNormal, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const { values } = await run(philoxNormal, { length: 1000, purpose: 0 }, {
 *   stream: Uint32Array.of(1, 0, 0, 0),
 *   values: 1000,
 * });
 * const variance = values.reduce((sum, value) => sum + value ** 2, 0) / 1000;
 * assert.ok(Math.abs(variance - 1) < 0.2);
 * ```
 */
export const philoxNormal: Kernel<RandomShape, "stream" | "values"> = {
  name: "philox_normal",
  wgsl,
  entryPoint: "normalValues",
  bindings,
  constants: blocks,
  uniforms,
  workgroups,
};
