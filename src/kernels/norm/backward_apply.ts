import wgsl from "../../../shaders/norm/backward_apply.wgsl" with { type: "text" };
import { bytes32, type Kernel, withTextures } from "../kernel.ts";
import { applyWorkgroups, type NormActivationShape, normOperands } from "./apply.ts";
import { normBytes } from "./moments.ts";

/** A normalisation whose gradient with respect to its input is wanted. */
export interface NormBackwardShape extends NormActivationShape {
  /** Whether the input's own statistics normalised it, so that the gradient also passes through them. */
  readonly ownStatistics: boolean;
  /** Whether the sums already contain the scale, as those of layer norm do. */
  readonly scaledSums: boolean;
  /** Number of rows in the sums, if they are of another batch than the input; by default a group's. */
  readonly sumRows?: number;
  /** Whether to add to what the gradient holds. */
  readonly accumulate: boolean;
}

/**
 * Third stage of a normalisation's backward pass: the gradient with respect to its input, `[groups, rows, C]`.
 * @cost About 12 floating-point operations, 8 bytes read and 4 written a value: bound by bandwidth. An invocation
 *   takes 8 rows of 4 channels.
 * @example
 * ```ts
 * import { normBackwardApply, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const shape = {
 *   groups: 1,
 *   rows: 1,
 *   channels: 4,
 *   slope: 1,
 *   ownStatistics: false, // those of running statistics, through which no gradient passes
 *   scaledSums: false,
 *   accumulate: false,
 * };
 * const { inputGradient } = await run(normBackwardApply, shape, {
 *   input: [0, 0, 0, 0],
 *   statistics: [0, 0, 0, 0, 1, 1, 1, 2],
 *   scale: [1, 2, 3, 4],
 *   shift: [1, 1, 1, 1],
 *   outputGradient: [1, 1, 1, 1],
 *   shiftSum: [0, 0, 0, 0],
 *   scaleSum: [0, 0, 0, 0],
 *   inputGradient: 4,
 * });
 * assert.deepEqual([...inputGradient], [1, 2, 3, 8]);
 * ```
 */
export const normBackwardApply: Kernel<
  NormBackwardShape,
  "input" | "statistics" | "scale" | "shift" | "outputGradient" | "shiftSum" | "scaleSum" | "inputGradient"
> = withTextures({
  name: "norm_backward_apply",
  wgsl,
  bindings: [
    ...normOperands,
    { name: "outputGradient", access: "read", bytes: normBytes },
    { name: "shiftSum", access: "read", bytes: ({ groups, channels }) => bytes32(groups * channels) },
    { name: "scaleSum", access: "read", bytes: ({ groups, channels }) => bytes32(groups * channels) },
    { name: "inputGradient", access: "read-write", bytes: normBytes },
  ],
  constants: (shape) => ({
    channels: shape.channels,
    rowsPerGroup: shape.rows,
    sumRows: shape.sumRows ?? shape.rows,
    slope: shape.slope,
    ownStatistics: Number(shape.ownStatistics),
    scaledSums: Number(shape.scaledSums),
    accumulate: Number(shape.accumulate),
  }),
  uniforms: { channels: "u32", rowsPerGroup: "u32", sumRows: "u32" },
  workgroups: applyWorkgroups,
});
