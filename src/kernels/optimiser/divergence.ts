import wgsl from "../../../shaders/optimiser/divergence.wgsl" with { type: "text" };
import type { Kernel } from "../kernel.ts";

/** When training counts as diverged. */
export interface DivergenceOptions {
  /** Largest allowed magnitude of the likelihood term. */
  readonly limit: number;
}

/**
 * Raises the divergence flag. Optimisers and the replay buffer read it on the GPU.
 * @cost One invocation.
 * @example
 * ```ts
 * import { divergence, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const { status } = await run(divergence, { limit: 1e5 }, {
 *   likelihood: [2e5],
 *   loss: [1],
 *   stream: Uint32Array.of(0, 0, 42, 0), // in step 42
 *   status: new Uint32Array(4),
 * });
 * assert.deepEqual([...status.slice(0, 2)], [1, 42]);
 * assert.deepEqual([...new Float32Array(status.buffer, 8)], [2e5, 1]);
 * ```
 */
export const divergence: Kernel<DivergenceOptions, "likelihood" | "loss" | "stream" | "status"> = {
  name: "divergence",
  wgsl,
  bindings: [
    { name: "likelihood", access: "read", bytes: () => 16 },
    { name: "loss", access: "read", bytes: () => 16 },
    { name: "stream", access: "read", bytes: () => 16 },
    { name: "status", access: "read-write", bytes: () => 16 },
  ],
  constants: ({ limit }) => ({ limit }),
  workgroups: () => [1, 1, 1],
};
