import wgsl from "../../shaders/norm_statistics.wgsl" with { type: "text" };
import { type Binding, bytes32, foldWorkgroups, type Kernel, requireShape } from "./kernel.ts";
import { normChunks, normRowsPerChunk, type NormShape, normStatisticsBytes } from "./norm_moments.ts";

/** What turns moments into statistics. */
export interface NormStatisticsShape extends NormShape {
  readonly epsilon: number;
}

/** The same, for running statistics. */
export interface RunningStatisticsShape extends NormStatisticsShape {
  /** PyTorch's convention: running ← (1 − momentum)·running + momentum·batch. */
  readonly momentum: number;
}

/** The moments of chunks, as the first stage leaves them. */
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

/** Constants that the second stages share. */
export function normStatisticsConstants(shape: NormStatisticsShape): Record<string, number> {
  const { groups, rows, channels, epsilon } = shape;
  return { groups, rows, channels, epsilon, rowsPerChunk: normRowsPerChunk(shape) };
}

/** Second stage of statistics: mean and inverse standard deviation (biased variance), `[groups, 2, C]`. */
export const normStatistics: Kernel<NormStatisticsShape, "partials" | "statistics"> = {
  name: "norm_statistics",
  wgsl,
  bindings: [partialMoments, statistics],
  constants: normStatisticsConstants,
  workgroups: ({ groups, channels }) => foldWorkgroups(groups * channels / 4, 8),
};

/**
 * {@link normStatistics} of one group, which also moves the running mean and variance `[2, C]` (unbiased), as PyTorch's
 * batch norm does.
 */
export const normStatisticsAndRunning: Kernel<
  RunningStatisticsShape,
  "partials" | "statistics" | "running"
> = {
  name: "norm_statistics",
  wgsl,
  entryPoint: "andRunning",
  bindings: [
    partialMoments,
    statistics,
    { name: "running", access: "read-write", bytes: ({ channels }) => bytes32(2 * channels) },
  ],
  constants: (shape) => {
    requireOneGroup(shape);
    return { ...normStatisticsConstants(shape), momentum: shape.momentum };
  },
  workgroups: ({ channels }) => [Math.ceil(channels / 32), 1, 1],
};

/** Act norm's data-dependent start: location and scale `[C]` that centre one group's channels and give them deviation 1. */
export const actNormInitialise: Kernel<NormStatisticsShape, "partials" | "location" | "scale"> = {
  name: "norm_statistics",
  wgsl,
  entryPoint: "actNorm",
  bindings: [
    partialMoments,
    { name: "location", access: "read-write", bytes: ({ channels }) => bytes32(channels) },
    { name: "scale", access: "read-write", bytes: ({ channels }) => bytes32(channels) },
  ],
  constants: (shape) => {
    requireOneGroup(shape);
    return normStatisticsConstants(shape);
  },
  workgroups: ({ channels }) => [Math.ceil(channels / 32), 1, 1],
};

function requireOneGroup({ groups, rows }: NormShape): void {
  requireShape(groups === 1, "norm_statistics", "there is one set of running statistics for all images");
  requireShape(rows > 1, "norm_statistics", "one value per channel has no unbiased variance");
}
