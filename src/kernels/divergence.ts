import wgsl from "../../shaders/divergence.wgsl" with { type: "text" };
import type { Kernel } from "./kernel.ts";

/** When training counts as diverged. */
export interface DivergenceShape {
  /** Largest magnitude of the likelihood term. */
  readonly limit: number;
}

/** Raises the divergence flag, which optimisers and the replay buffer heed on the GPU. */
export const divergence: Kernel<DivergenceShape, "likelihood" | "loss" | "stream" | "status"> = {
  name: "divergence",
  wgsl,
  bindings: [
    { name: "likelihood", access: "read", bytes: () => 16 },
    { name: "loss", access: "read", bytes: () => 16 },
    { name: "stream", access: "read", bytes: () => 16 },
    { name: "status", access: "read-write", bytes: () => 16 },
  ],
  constants: ({ limit }) => ({ limit }),
  workgroups: () => [1, 1, 1],
};
