import wgsl from "../../../shaders/norm/apply.wgsl" with { type: "text" };
import { type Binding, bytes32, foldWorkgroups, type Kernel, withTextures } from "../kernel.ts";
import { normBytes, type NormShape, normStatisticsBytes } from "./moments.ts";

/** A normalisation followed by a LeakyReLU. */
export interface NormActivationShape extends NormShape {
  /** Slope of the LeakyReLU below zero; 1 for none. */
  readonly slope: number;
}

/** Rows that an invocation of these shaders goes through, as they define it. */
const rowsPerInvocation = 8;

/** Workgroups of these shaders. */
export function applyWorkgroups({ groups, rows, channels }: NormShape): [number, number, number] {
  return foldWorkgroups(groups * Math.ceil(rows / rowsPerInvocation) * channels / 4);
}

/** What all kernels that normalise again read: the input, and how it is normalised, scaled and shifted. */
export const normOperands: readonly Binding<NormShape, "input" | "statistics" | "scale" | "shift">[] = [
  { name: "input", access: "read", alias: "Input", bytes: normBytes },
  { name: "statistics", access: "read", bytes: normStatisticsBytes },
  { name: "scale", access: "read", bytes: ({ channels }) => bytes32(channels) },
  { name: "shift", access: "read", bytes: ({ channels }) => bytes32(channels) },
];

/**
 * Normalisation, scale, shift and LeakyReLU in one pass, `[groups, rows, C]` → the same.
 * @cost About 4 floating-point operations, 4 bytes read and 4 written a value: bound by bandwidth. An invocation
 *   takes 8 rows of 4 channels.
 * @example
 * ```ts
 * import { normApply, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const { output } = await run(normApply, { groups: 1, rows: 2, channels: 4, slope: 0.5 }, {
 *   input: [1, 2, 3, 4, 5, 6, 7, 8],
 *   statistics: [3, 4, 5, 6, 1, 1, 1, 1], // mean, then inverse deviation
 *   scale: [1, 1, 1, 10],
 *   shift: [0, 0, 4, 0],
 *   output: 8,
 * });
 * assert.deepEqual([...output], [-1, -1, 2, -10, 2, 2, 6, 20]);
 * ```
 */
export const normApply: Kernel<
  NormActivationShape,
  "input" | "statistics" | "scale" | "shift" | "output"
> = withTextures({
  name: "norm_apply",
  wgsl,
  bindings: [...normOperands, { name: "output", access: "read-write", alias: "Output", bytes: normBytes }],
  constants: (shape) => ({
    channels: shape.channels,
    rowsPerGroup: shape.rows,
    slope: shape.slope,
  }),
  uniforms: { channels: "u32", rowsPerGroup: "u32" },
  workgroups: applyWorkgroups,
});
