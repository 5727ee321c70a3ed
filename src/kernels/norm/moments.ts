import wgsl from "../../../shaders/norm/moments.wgsl" with { type: "text" };
import {
  bytes32,
  foldSums,
  foldWorkgroups,
  type Kernel,
  mostLoopIterations,
  requireShape,
  type Uniforms,
  withTextures,
} from "../kernel.ts";

/**
 * `[groups, rows, channels]`: values that are normalised with their own statistics. In batch norm all images and pixels
 * are one group; in instance and layer norm each image is one.
 */
export interface NormShape {
  readonly groups: number;
  /** Rows of each group. */
  readonly rows: number;
  /** A multiple of 4. */
  readonly channels: number;
}

/** Fewest rows of a chunk: enough work for an invocation. */
const leastRows = 64;
/** Most chunks, because the second stage goes through them one by one. */
const mostChunks = 256;

/** Rows of each chunk, except perhaps a group's last. */
export function normRowsPerChunk({ rows }: NormShape): number {
  return Math.max(leastRows, Math.ceil(rows / mostChunks));
}

/** Chunks into which the rows of all groups are split. */
export function normChunks(shape: NormShape): number {
  return shape.groups * Math.ceil(shape.rows / normRowsPerChunk(shape));
}

/** Bytes of all values. */
export function normBytes({ groups, rows, channels }: NormShape): number {
  return bytes32(groups * rows * channels);
}

/** Bytes of the mean and inverse deviation of each group's channels. */
export function normStatisticsBytes({ groups, channels }: NormShape): number {
  return bytes32(2 * groups * channels);
}

/**
 * Constants that the first stages share.
 * @throws {RangeError} if the channels are not a multiple of 4, or a loop would be too long for some drivers.
 */
export function normConstants(shape: NormShape): Record<string, number> {
  const { groups, rows, channels } = shape;
  const rowsPerChunk = normRowsPerChunk(shape);
  requireShape(channels % 4 === 0, "norm", `channels must be a multiple of 4, not ${channels}`);
  requireShape(
    rowsPerChunk <= mostLoopIterations,
    "norm",
    `${rows} rows, ${rowsPerChunk} to a loop; at most ${mostLoopIterations} are summed by one`,
  );
  return { channels, rowsPerGroup: rows, rowsPerChunk, allRows: groups * rows };
}

/** The constants that the first stages take from their uniform buffers. */
export const normUniforms: Uniforms = {
  channels: "u32",
  rowsPerGroup: "u32",
  rowsPerChunk: "u32",
  allRows: "u32",
};

/**
 * First stage of statistics: for each chunk of rows, each channel's mean and the sum of squared deviations from it.
 * @throws {RangeError} unless the channels are a multiple of 4, or if a chunk has more than 65,535 rows.
 * @cost About 4 floating-point operations and 4 bytes read a value: bound by bandwidth. A workgroup takes a chunk
 *   of at least 64 rows of 32 channels.
 * @example
 * ```ts
 * import { normMoments, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const { partials } = await run(normMoments, { groups: 1, rows: 2, channels: 4 }, {
 *   input: [1, 2, 3, 4, 3, 2, 1, 8],
 *   partials: 8,
 * });
 * assert.deepEqual([...partials], [2, 2, 2, 6, 2, 0, 2, 8]); // the means, then Σ (x − mean)²
 * ```
 */
export const normMoments: Kernel<NormShape, "input" | "partials"> = withTextures({
  name: "norm_moments",
  wgsl,
  bindings: [
    { name: "input", access: "read", alias: "Input", bytes: normBytes },
    {
      name: "partials",
      access: "read-write",
      bytes: (shape) => bytes32(normChunks(shape) * 2 * shape.channels),
    },
  ],
  constants: normConstants,
  uniforms: normUniforms,
  workgroups: (shape) => foldSums(normChunks(shape), shape.channels / 4),
}, {
  workgroups: (shape) => foldWorkgroups(normChunks(shape) * shape.channels / 4, 8),
});
