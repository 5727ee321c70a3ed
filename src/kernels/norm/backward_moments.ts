import wgsl from "../../../shaders/norm/backward_moments.wgsl" with { type: "text" };
import { bytes32, foldSums, foldWorkgroups, type Kernel, withTextures } from "../kernel.ts";
import { type NormActivationShape, normOperands } from "./apply.ts";
import { normBytes, normChunks, normConstants, normUniforms } from "./moments.ts";

/**
 * First stage of a normalisation's backward pass: Σ g and Σ g·normal for each chunk of rows.
 * @throws {RangeError} unless the channels are a multiple of 4.
 * @cost About 6 floating-point operations and 8 bytes read a value: bound by bandwidth. A workgroup takes a chunk
 *   of at least 64 rows of 32 channels.
 * @example
 * ```ts
 * import { normBackwardMoments, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const { partials } = await run(normBackwardMoments, { groups: 1, rows: 2, channels: 4, slope: 1 }, {
 *   input: [1, 1, 1, 1, 3, 3, 3, 3],
 *   statistics: [2, 2, 2, 2, 1, 1, 1, 1],
 *   scale: [1, 1, 1, 1],
 *   shift: [9, 9, 9, 9],
 *   outputGradient: [1, 2, 3, 4, 1, 1, 1, 1],
 *   partials: 8,
 * });
 * assert.deepEqual([...partials], [2, 3, 4, 5, 0, -1, -2, -3]); // Σ g, then Σ g · normal
 * ```
 */
export const normBackwardMoments: Kernel<
  NormActivationShape,
  "input" | "statistics" | "scale" | "shift" | "outputGradient" | "partials"
> = withTextures({
  name: "norm_backward_moments",
  wgsl,
  bindings: [
    ...normOperands,
    { name: "outputGradient", access: "read", bytes: normBytes },
    {
      name: "partials",
      access: "read-write",
      bytes: (shape) => bytes32(normChunks(shape) * 2 * shape.channels),
    },
  ],
  constants: (shape) => ({ ...normConstants(shape), slope: shape.slope }),
  uniforms: normUniforms,
  workgroups: (shape) => foldSums(normChunks(shape), shape.channels / 4),
}, {
  workgroups: (shape) => foldWorkgroups(normChunks(shape) * shape.channels / 4, 8),
});
