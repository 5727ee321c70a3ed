import wgsl from "../../../shaders/norm/backward_sums.wgsl" with { type: "text" };
import { bytes32, foldSums, foldWorkgroups, type Kernel, withTextures } from "../kernel.ts";
import { normChunks, type NormShape } from "./moments.ts";
import { partialMoments } from "./statistics.ts";

/**
 * Second stage of a normalisation's backward pass: Σ g and Σ g·normal for each group's channels, `[groups, C]`.
 * @cost An addition and 4 bytes read a value of the chunks. A workgroup takes 32 channels of one group.
 * @example
 * ```ts
 * import { normBackwardSums, normChunks, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const shape = { groups: 1, rows: 100, channels: 4 };
 * assert.equal(normChunks(shape), 2);
 * const { shiftSum, scaleSum } = await run(normBackwardSums, shape, {
 *   partials: [1, 2, 3, 4, 5, 6, 7, 8, 10, 20, 30, 40, 50, 60, 70, 80],
 *   shiftSum: 4,
 *   scaleSum: 4,
 * });
 * assert.deepEqual([...shiftSum], [11, 22, 33, 44]);
 * assert.deepEqual([...scaleSum], [55, 66, 77, 88]);
 * ```
 */
export const normBackwardSums: Kernel<NormShape, "partials" | "shiftSum" | "scaleSum"> = withTextures({
  name: "norm_backward_sums",
  wgsl,
  bindings: [
    partialMoments,
    { name: "shiftSum", access: "read-write", bytes: ({ groups, channels }) => bytes32(groups * channels) },
    { name: "scaleSum", access: "read-write", bytes: ({ groups, channels }) => bytes32(groups * channels) },
  ],
  constants: (shape) => ({
    groups: shape.groups,
    channels: shape.channels,
    chunks: normChunks(shape) / shape.groups,
  }),
  uniforms: { channels: "u32", groups: "u32", chunks: "u32" },
  workgroups: ({ groups, channels }) => foldSums(groups, channels / 4),
}, {
  workgroups: ({ groups, channels }) => foldWorkgroups(groups * channels / 4, 8),
});
