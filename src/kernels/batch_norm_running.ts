import wgsl from "../../shaders/batch_norm_running.wgsl" with { type: "text" };
import { bytes32, type Kernel } from "./kernel.ts";

/** Running statistics `[2, C]`, C a multiple of 4. */
export interface BatchNormRunningShape {
  readonly channels: number;
  readonly epsilon: number;
}

/** Statistics that normalise in eval mode: running mean and variance → mean and inverse standard deviation, `[2, C]`. */
export const batchNormRunning: Kernel<BatchNormRunningShape, "running" | "statistics"> = {
  name: "batch_norm_running",
  wgsl,
  bindings: [
    { name: "running", access: "read", bytes: ({ channels }) => bytes32(2 * channels) },
    { name: "statistics", access: "read-write", bytes: ({ channels }) => bytes32(2 * channels) },
  ],
  constants: ({ epsilon }) => ({ epsilon }),
  workgroups: ({ channels }) => [Math.ceil(channels / 32), 1, 1],
};
