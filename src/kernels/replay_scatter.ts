import wgsl from "../../shaders/replay_scatter.wgsl" with { type: "text" };
import { bytes32, foldWorkgroups, type Kernel } from "./kernel.ts";
import type { ReplayShape } from "./replay_gather.ts";

/** Puts the chains' ends back into the replay buffer, deterministically, unless training has diverged. */
export const replayScatter: Kernel<ReplayShape, "images" | "draws" | "status" | "buffer"> = {
  name: "replay_scatter",
  wgsl,
  bindings: [
    { name: "images", access: "read", bytes: ({ batch, pixels }) => bytes32(batch * pixels) },
    { name: "draws", access: "read", bytes: ({ batch }) => bytes32(2 * batch) },
    { name: "status", access: "read", bytes: () => 16 },
    { name: "buffer", access: "read-write", bytes: ({ capacity, pixels }) => bytes32(capacity * pixels) },
  ],
  constants: ({ batch, pixels, capacity }) => ({ batch, pixels, capacity }),
  workgroups: ({ batch, pixels }) => foldWorkgroups(batch * pixels),
};
