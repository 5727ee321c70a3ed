import wgsl from "../../../shaders/norm/running.wgsl" with { type: "text" };
import { bytes32, type Kernel } from "../kernel.ts";

/** Running statistics `[2, C]`, C a multiple of 4. */
export interface NormRunningShape {
  readonly channels: number;
  /** What is added to the variance. */
  readonly epsilon: number;
}

/**
 * Statistics that normalise in eval mode: running mean and variance → mean and inverse standard deviation, `[2, C]`.
 * @cost An inverse square root, 8 bytes read and 8 written a channel. An invocation takes 4 channels.
 * @example
 * ```ts
 * import { normRunning, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const { statistics } = await run(normRunning, { channels: 4, epsilon: 0 }, {
 *   running: [1, 2, 3, 4, 1, 4, 16, 64], // mean, then variance
 *   statistics: 8,
 * });
 * [1, 2, 3, 4, 1, 1 / 2, 1 / 4, 1 / 8].forEach((value, i) => assert.ok(Math.abs(statistics[i]! - value) < 1e-6));
 * ```
 */
export const normRunning: Kernel<NormRunningShape, "running" | "statistics"> = {
  name: "norm_running",
  wgsl,
  bindings: [
    { name: "running", access: "read", bytes: ({ channels }) => bytes32(2 * channels) },
    { name: "statistics", access: "read-write", bytes: ({ channels }) => bytes32(2 * channels) },
  ],
  constants: ({ epsilon }) => ({ epsilon }),
  workgroups: ({ channels }) => [Math.ceil(channels / 32), 1, 1],
};
