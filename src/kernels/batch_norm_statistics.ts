import wgsl from "../../shaders/batch_norm_statistics.wgsl" with { type: "text" };
import { batchNormChunks, batchNormRowsPerChunk, type BatchNormShape } from "./batch_norm_moments.ts";
import { bytes32, type Kernel, requireShape } from "./kernel.ts";

/** What turns moments into statistics. */
export interface BatchNormStatisticsShape extends BatchNormShape {
  readonly epsilon: number;
  /** PyTorch's convention: running ← (1 − momentum)·running + momentum·batch. */
  readonly momentum: number;
  readonly updateRunning: boolean;
}

/**
 * Second stage of batch statistics: mean and inverse standard deviation `[2, C]` (biased variance), and the running mean
 * and variance `[2, C]` (unbiased), as in PyTorch.
 */
export const batchNormStatistics: Kernel<BatchNormStatisticsShape, "partials" | "running" | "statistics"> = {
  name: "batch_norm_statistics",
  wgsl,
  bindings: [
    {
      name: "partials",
      access: "read",
      bytes: (shape) => bytes32(batchNormChunks(shape) * 2 * shape.channels),
    },
    { name: "running", access: "read-write", bytes: ({ channels }) => bytes32(2 * channels) },
    { name: "statistics", access: "read-write", bytes: ({ channels }) => bytes32(2 * channels) },
  ],
  constants: (shape) => {
    const { rows, channels, epsilon, momentum, updateRunning } = shape;
    requireShape(rows > 1 || !updateRunning, "batch_norm", "one value per channel has no unbiased variance");
    const rowsPerChunk = batchNormRowsPerChunk(shape);
    return { rows, channels, rowsPerChunk, epsilon, momentum, updateRunning: Number(updateRunning) };
  },
  workgroups: ({ channels }) => [Math.ceil(channels / 32), 1, 1],
};
