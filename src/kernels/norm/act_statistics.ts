import wgsl from "../../../shaders/norm/act_statistics.wgsl" with { type: "text" };
import { bytes32, type Kernel } from "../kernel.ts";

/**
 * Statistics `[2, C]` with which `normApply` computes act norm's scale·(x + location); C a multiple of 4.
 * @cost 4 bytes read and 8 written a channel; an invocation takes 4 channels.
 * @example
 * ```ts
 * import { actNormStatistics, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const { statistics } = await run(actNormStatistics, { channels: 4 }, { location: [1, 2, 3, 4], statistics: 8 });
 * assert.deepEqual([...statistics], [-1, -2, -3, -4, 1, 1, 1, 1]);
 * ```
 */
export const actNormStatistics: Kernel<{ readonly channels: number }, "location" | "statistics"> = {
  name: "act_norm_statistics",
  wgsl,
  bindings: [
    { name: "location", access: "read", bytes: ({ channels }) => bytes32(channels) },
    { name: "statistics", access: "read-write", bytes: ({ channels }) => bytes32(2 * channels) },
  ],
  constants: () => ({}),
  workgroups: ({ channels }) => [Math.ceil(channels / 32), 1, 1],
};
