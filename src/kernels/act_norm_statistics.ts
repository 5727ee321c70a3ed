import wgsl from "../../shaders/act_norm_statistics.wgsl" with { type: "text" };
import { bytes32, type Kernel } from "./kernel.ts";

/** Statistics `[2, C]` with which `normApply` computes act norm's scale·(x + location); C a multiple of 4. */
export const actNormStatistics: Kernel<{ readonly channels: number }, "location" | "statistics"> = {
  name: "act_norm_statistics",
  wgsl,
  bindings: [
    { name: "location", access: "read", bytes: ({ channels }) => bytes32(channels) },
    { name: "statistics", access: "read-write", bytes: ({ channels }) => bytes32(2 * channels) },
  ],
  constants: () => ({}),
  workgroups: ({ channels }) => [Math.ceil(channels / 32), 1, 1],
};
