import wgsl from "../../shaders/norm_running.wgsl" with { type: "text" };
import { bytes32, type Kernel } from "./kernel.ts";

/** Running statistics `[2, C]`, C a multiple of 4. */
export interface NormRunningShape {
  readonly channels: number;
  readonly epsilon: number;
}

/** Statistics that normalise in eval mode: running mean and variance → mean and inverse standard deviation, `[2, C]`. */
export const normRunning: Kernel<NormRunningShape, "running" | "statistics"> = {
  name: "norm_running",
  wgsl,
  bindings: [
    { name: "running", access: "read", bytes: ({ channels }) => bytes32(2 * channels) },
    { name: "statistics", access: "read-write", bytes: ({ channels }) => bytes32(2 * channels) },
  ],
  constants: ({ epsilon }) => ({ epsilon }),
  workgroups: ({ channels }) => [Math.ceil(channels / 32), 1, 1],
};
