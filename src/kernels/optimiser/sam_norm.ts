import wgsl from "../../../shaders/optimiser/sam_norm.wgsl" with { type: "text" };
import type { VectorShape } from "../vector/add.ts";
import { bytes32, foldWorkgroups, type Kernel } from "../kernel.ts";

/** Flat vectors of parameters and gradients. */
export interface SamShape extends VectorShape {
  /** Whether T is |θ|, as in ASAM, instead of 1. */
  readonly adaptive: boolean;
}

/** Most chunks, because the second stage is one workgroup. */
const mostChunks = 16_384;
/** Fewest vec4s of a chunk: enough work for an invocation. */
const leastVectors = 64;

function chunkVectors(length: number): number {
  const vectors = Math.ceil(length / 4);
  return Math.max(leastVectors, Math.ceil(vectors / mostChunks));
}

/** Number of partial sums into which a vector's norm is split. */
export function samNormPartials(length: number): number {
  return Math.ceil(Math.ceil(length / 4) / chunkVectors(length));
}

/**
 * First stage of ‖T·g‖ (Foret et al., 2021; Kwon et al., 2021): partial sums of squares.
 * @cost A multiply-add and 4 bytes read a parameter (for ASAM two and 8): bound by bandwidth. An invocation takes a
 *   chunk of at least 256 values.
 * @example
 * ```ts
 * import { run, samNorm, samNormPartials } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const { partials } = await run(samNorm, { length: 4, adaptive: false }, {
 *   parameters: [1, 1, 1, 1],
 *   gradient: [3, 0, 4, 0],
 *   partials: samNormPartials(4),
 * });
 * assert.deepEqual([...partials], [25]);
 * ```
 */
export const samNorm: Kernel<SamShape, "parameters" | "gradient" | "partials"> = {
  name: "sam_norm",
  wgsl,
  bindings: [
    { name: "parameters", access: "read", bytes: ({ length }) => bytes32(length) },
    { name: "gradient", access: "read", bytes: ({ length }) => bytes32(length) },
    { name: "partials", access: "read-write", bytes: ({ length }) => bytes32(samNormPartials(length)) },
  ],
  constants: ({ length, adaptive }) => ({
    length,
    chunkVectors: chunkVectors(length),
    adaptive: Number(adaptive),
  }),
  workgroups: ({ length }) => foldWorkgroups(samNormPartials(length)),
};
