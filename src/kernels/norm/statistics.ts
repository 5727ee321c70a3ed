import wgsl from "../../../shaders/norm/statistics.wgsl" with { type: "text" };
import {
  type Binding,
  bytes32,
  foldSums,
  foldWorkgroups,
  type Kernel,
  requireShape,
  type Uniforms,
  withTextures,
} from "../kernel.ts";
import { normChunks, normRowsPerChunk, type NormShape, normStatisticsBytes } from "./moments.ts";

/** Shape and constants of the step from moments to statistics. */
export interface NormStatisticsShape extends NormShape {
  /** What is added to the variance, or for act norm to the standard deviation. */
  readonly epsilon: number;
}

/** The same, for running statistics. */
export interface RunningStatisticsShape extends NormStatisticsShape {
  /** PyTorch's convention: running ← (1 − momentum)·running + momentum·batch. */
  readonly momentum: number;
}

/** The moments of the chunks, as the first stage writes them. */
export const partialMoments: Binding<NormShape, "partials"> = {
  name: "partials",
  access: "read",
  bytes: (shape) => bytes32(normChunks(shape) * 2 * shape.channels),
};
const statistics: Binding<NormShape, "statistics"> = {
  name: "statistics",
  access: "read-write",
  bytes: normStatisticsBytes,
};

const uniforms: Uniforms = { channels: "u32", groups: "u32", rows: "u32", rowsPerChunk: "u32" };

/** Constants that the second stages share. */
export function normStatisticsConstants(shape: NormStatisticsShape): Record<string, number> {
  const { groups, rows, channels, epsilon } = shape;
  return { groups, rows, channels, epsilon, rowsPerChunk: normRowsPerChunk(shape) };
}

/**
 * Second stage of statistics: mean and inverse standard deviation (biased variance), `[groups, 2, C]`.
 * @cost About 10 floating-point operations and 8 bytes read a channel of each chunk. A workgroup takes 32 channels
 *   of one group.
 * @example
 * ```ts
 * import { normStatistics, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const { statistics } = await run(normStatistics, { groups: 1, rows: 2, channels: 4, epsilon: 0 }, {
 *   partials: [2, 2, 2, 6, 2, 8, 2, 8], // as `normMoments` leaves them
 *   statistics: 8,
 * });
 * [2, 2, 2, 6, 1, 0.5, 1, 0.5].forEach((value, i) => assert.ok(Math.abs(statistics[i]! - value) < 1e-6));
 * ```
 */
export const normStatistics: Kernel<NormStatisticsShape, "partials" | "statistics"> = withTextures({
  name: "norm_statistics",
  wgsl,
  bindings: [partialMoments, statistics],
  constants: normStatisticsConstants,
  uniforms,
  workgroups: ({ groups, channels }) => foldSums(groups, channels / 4),
}, {
  entryPoint: "mainThroughTextures",
  workgroups: ({ groups, channels }) => foldWorkgroups(groups * channels / 4, 8),
});

/**
 * {@link normStatistics} that also updates the running mean and variance `[2, C]` (unbiased), like PyTorch's batch
 * norm. Each group updates them in turn, as if the groups came one after the other.
 * @throws {RangeError} if a group has only one row.
 * @cost That of `normStatistics`, and 8 bytes read and 8 written a channel. A workgroup takes 32 channels of all
 *   groups.
 * @example
 * ```ts
 * import { normStatisticsAndRunning, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const shape = { groups: 1, rows: 2, channels: 4, epsilon: 0, momentum: 0.5 };
 * const { running } = await run(normStatisticsAndRunning, shape, {
 *   partials: [2, 2, 2, 6, 2, 8, 2, 8],
 *   statistics: 8,
 *   running: [0, 0, 0, 0, 1, 1, 1, 1],
 * });
 * [1, 1, 1, 3, 1.5, 4.5, 1.5, 4.5].forEach((value, i) => assert.ok(Math.abs(running[i]! - value) < 1e-6));
 * ```
 */
export const normStatisticsAndRunning: Kernel<
  RunningStatisticsShape,
  "partials" | "statistics" | "running"
> = withTextures({
  name: "norm_statistics_and_running",
  wgsl,
  entryPoint: "andRunning",
  bindings: [
    partialMoments,
    statistics,
    { name: "running", access: "read-write", bytes: ({ channels }) => bytes32(2 * channels) },
  ],
  constants: (shape) => {
    requireRows(shape, "norm_statistics_and_running");
    return { ...normStatisticsConstants(shape), momentum: shape.momentum };
  },
  uniforms,
  workgroups: ({ channels }) => foldSums(1, channels / 4),
}, {
  entryPoint: "andRunningThroughTextures",
  workgroups: ({ channels }) => foldWorkgroups(channels / 4, 8),
});

/**
 * Act norm's data-dependent start: location and scale `[C]` that give one group's channels mean 0 and standard
 * deviation 1.
 * @throws {RangeError} if there is more than one group, or only one row.
 * @cost That of `normStatistics`.
 * @example
 * ```ts
 * import { actNormInitialise, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const { location, scale } = await run(actNormInitialise, { groups: 1, rows: 2, channels: 4, epsilon: 0 }, {
 *   partials: [2, 2, 2, 6, 4, 16, 4, 16],
 *   location: 4,
 *   scale: 4,
 * });
 * assert.deepEqual([...location], [-2, -2, -2, -6]);
 * [0.5, 0.25, 0.5, 0.25].forEach((value, i) => assert.ok(Math.abs(scale[i]! - value) < 1e-6));
 * ```
 */
export const actNormInitialise: Kernel<NormStatisticsShape, "partials" | "location" | "scale"> = withTextures(
  {
    name: "act_norm_initialise",
    wgsl,
    entryPoint: "actNorm",
    bindings: [
      partialMoments,
      { name: "location", access: "read-write", bytes: ({ channels }) => bytes32(channels) },
      { name: "scale", access: "read-write", bytes: ({ channels }) => bytes32(channels) },
    ],
    constants: (shape) => {
      requireShape(
        shape.groups === 1,
        "act_norm_initialise",
        "act norm has one location and scale for all images",
      );
      requireRows(shape, "act_norm_initialise");
      return normStatisticsConstants(shape);
    },
    uniforms,
    workgroups: ({ channels }) => foldSums(1, channels / 4),
  },
  {
    entryPoint: "actNormThroughTextures",
    workgroups: ({ channels }) => foldWorkgroups(channels / 4, 8),
  },
);

function requireRows({ rows }: NormShape, kernel: string): void {
  requireShape(rows > 1, kernel, "one value per channel has no unbiased variance");
}
