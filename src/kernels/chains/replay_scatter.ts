import wgsl from "../../../shaders/chains/replay_scatter.wgsl" with { type: "text" };
import { bytes32, foldWorkgroups, type Kernel } from "../kernel.ts";
import type { ReplayShape } from "./replay_gather.ts";

/**
 * Puts the ends of the chains back into the replay buffer, deterministically, unless training has diverged.
 * @cost 4 bytes read and 4 written a value, and up to `batch` comparisons. An invocation takes one value.
 * @example
 * ```ts
 * import { replayScatter, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const { buffer } = await run(replayScatter, { batch: 2, pixels: 2, first: 0, count: 3 }, {
 *   images: [7, 7, 8, 8],
 *   draws: Uint32Array.of(2, 0, 0, 0),
 *   status: new Uint32Array(4),
 *   buffer: [0, 0, 1, 1, 2, 2],
 * });
 * assert.deepEqual([...buffer], [8, 8, 1, 1, 7, 7]);
 * ```
 */
export const replayScatter: Kernel<ReplayShape, "images" | "draws" | "status" | "buffer"> = {
  name: "replay_scatter",
  wgsl,
  bindings: [
    { name: "images", access: "read", bytes: ({ batch, pixels }) => bytes32(batch * pixels) },
    { name: "draws", access: "read", bytes: ({ batch }) => bytes32(2 * batch) },
    { name: "status", access: "read", bytes: () => 16 },
    { name: "buffer", access: "read-write", bytes: ({ count, pixels }) => bytes32(count * pixels) },
  ],
  constants: ({ batch, pixels, first, count }) => ({ batch, pixels, first, count }),
  workgroups: ({ batch, pixels }) => foldWorkgroups(batch * pixels),
};
