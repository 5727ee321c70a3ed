import wgsl from "../../../shaders/norm/layer_statistics.wgsl" with { type: "text" };
import { type Binding, foldWorkgroups, type Kernel, withTextures } from "../kernel.ts";
import { type NormShape, normStatisticsBytes } from "./moments.ts";
import { normStatisticsConstants, type NormStatisticsShape, partialMoments } from "./statistics.ts";

const bindings: readonly Binding<NormShape, "partials" | "statistics">[] = [
  partialMoments,
  { name: "statistics", access: "read-write", bytes: normStatisticsBytes },
];

/**
 * Second stage of layer norm's statistics: those of all channels of a group together, repeated, `[groups, 2, C]`.
 * @cost A few operations a channel of each chunk. A workgroup takes a group, and on software adapters an invocation.
 * @example
 * ```ts
 * import { layerNormStatistics, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const shape = { groups: 1, rows: 2, channels: 4, epsilon: 0 };
 * const { statistics } = await run(layerNormStatistics, shape, {
 *   partials: [1, 1, 3, 3, 0, 0, 0, 0], // means 1, 1, 3, 3 of the channels, which do not deviate from them
 *   statistics: 8,
 * });
 * assert.deepEqual([...statistics], [2, 2, 2, 2, 1, 1, 1, 1]);
 * ```
 */
export const layerNormStatistics: Kernel<NormStatisticsShape, "partials" | "statistics"> = withTextures({
  name: "layer_norm_statistics",
  wgsl,
  bindings,
  constants: normStatisticsConstants,
  workgroups: ({ groups }) => foldWorkgroups(groups, 1),
}, {
  name: "layer_norm_statistics_alone",
  entryPoint: "alone",
  bindings,
  workgroups: ({ groups }) => foldWorkgroups(groups, 8),
});
