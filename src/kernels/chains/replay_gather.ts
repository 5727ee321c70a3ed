import wgsl from "../../../shaders/chains/replay_gather.wgsl" with { type: "text" };
import { bytes32, foldWorkgroups, type Kernel } from "../kernel.ts";

/** A batch of chains over a part of a replay buffer. */
export interface ReplayShape {
  readonly batch: number;
  /** All values of an image. */
  readonly pixels: number;
  /** First entry of the part. Chains whose entry is elsewhere are left alone. */
  readonly first: number;
  /** Number of entries in the part. */
  readonly count: number;
}

/**
 * Starts of the chains: entries of the replay buffer, or fresh images where the draw says so.
 * @cost 4 bytes read and 4 written a value: bound by bandwidth. An invocation takes one value.
 * @example
 * ```ts
 * import { replayGather, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const { start } = await run(replayGather, { batch: 2, pixels: 2, first: 0, count: 3 }, {
 *   buffer: [0, 0, 1, 1, 2, 2],
 *   fresh: [7, 7, 8, 8],
 *   draws: Uint32Array.of(2, 0, 0, 1), // entries 2 and 0, but the second chain starts afresh
 *   start: 4,
 * });
 * assert.deepEqual([...start], [2, 2, 8, 8]);
 * ```
 */
export const replayGather: Kernel<ReplayShape, "buffer" | "fresh" | "draws" | "start"> = {
  name: "replay_gather",
  wgsl,
  bindings: [
    { name: "buffer", access: "read", bytes: ({ count, pixels }) => bytes32(count * pixels) },
    { name: "fresh", access: "read", bytes: ({ batch, pixels }) => bytes32(batch * pixels) },
    { name: "draws", access: "read", bytes: ({ batch }) => bytes32(2 * batch) },
    { name: "start", access: "read-write", bytes: ({ batch, pixels }) => bytes32(batch * pixels) },
  ],
  constants: ({ batch, pixels, first, count }) => ({ batch, pixels, first, count }),
  workgroups: ({ batch, pixels }) => foldWorkgroups(batch * pixels),
};
