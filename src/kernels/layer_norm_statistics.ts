import wgsl from "../../shaders/layer_norm_statistics.wgsl" with { type: "text" };
import { foldWorkgroups, type Kernel } from "./kernel.ts";
import { normStatisticsBytes } from "./norm_moments.ts";
import { normStatisticsConstants, type NormStatisticsShape, partialMoments } from "./norm_statistics.ts";

/** Second stage of layer norm's statistics: those of all channels of a group together, repeated, `[groups, 2, C]`. */
export const layerNormStatistics: Kernel<NormStatisticsShape, "partials" | "statistics"> = {
  name: "layer_norm_statistics",
  wgsl,
  bindings: [partialMoments, { name: "statistics", access: "read-write", bytes: normStatisticsBytes }],
  constants: normStatisticsConstants,
  workgroups: ({ groups }) => foldWorkgroups(groups, 8),
};
