import wgsl from "../../shaders/batch_norm_moments.wgsl" with { type: "text" };
import { bytes32, foldWorkgroups, type Kernel, requireShape } from "./kernel.ts";

/** `[rows, channels]`: images with all but the last dimension flattened. */
export interface BatchNormShape {
  readonly rows: number;
  /** A multiple of 4. */
  readonly channels: number;
}

/** Least rows of a chunk: enough work for an invocation. */
const leastRows = 64;
/** Most chunks: the second stage goes through them one by one. */
const mostChunks = 256;

/** Rows of each chunk but perhaps the last. */
export function batchNormRowsPerChunk({ rows }: BatchNormShape): number {
  return Math.max(leastRows, Math.ceil(rows / mostChunks));
}

/** Chunks into which the rows are split. */
export function batchNormChunks(shape: BatchNormShape): number {
  return Math.ceil(shape.rows / batchNormRowsPerChunk(shape));
}

/**
 * Constants that the first stages share.
 * @throws {RangeError} if the channels are not a multiple of 4, or a loop would be too long for some drivers.
 */
export function batchNormConstants(shape: BatchNormShape): Record<string, number> {
  const { channels } = shape;
  const rowsPerChunk = batchNormRowsPerChunk(shape);
  requireShape(channels % 4 === 0, "batch_norm", `channels must be a multiple of 4, not ${channels}`);
  requireShape(rowsPerChunk <= 65_535, "batch_norm", `${shape.rows} rows are too many`);
  return { channels, rowsPerChunk };
}

/** First stage of batch statistics: for each chunk of rows, each channel's mean and sum of squared deviations from it. */
export const batchNormMoments: Kernel<BatchNormShape, "input" | "partials"> = {
  name: "batch_norm_moments",
  wgsl,
  bindings: [
    { name: "input", access: "read", bytes: ({ rows, channels }) => bytes32(rows * channels) },
    {
      name: "partials",
      access: "read-write",
      bytes: (shape) => bytes32(batchNormChunks(shape) * 2 * shape.channels),
    },
  ],
  constants: batchNormConstants,
  workgroups: (shape) => foldWorkgroups(batchNormChunks(shape) * shape.channels / 4),
};
