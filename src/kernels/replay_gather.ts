import wgsl from "../../shaders/replay_gather.wgsl" with { type: "text" };
import { bytes32, foldWorkgroups, type Kernel } from "./kernel.ts";

/** A batch of chains over a replay buffer; `pixels` are all values of an image. */
export interface ReplayShape {
  readonly batch: number;
  readonly pixels: number;
  readonly capacity: number;
}

/** Chains' starts: entries of the replay buffer, or fresh images where the draw says so. */
export const replayGather: Kernel<ReplayShape, "buffer" | "fresh" | "draws" | "start"> = {
  name: "replay_gather",
  wgsl,
  bindings: [
    { name: "buffer", access: "read", bytes: ({ capacity, pixels }) => bytes32(capacity * pixels) },
    { name: "fresh", access: "read", bytes: ({ batch, pixels }) => bytes32(batch * pixels) },
    { name: "draws", access: "read", bytes: ({ batch }) => bytes32(2 * batch) },
    { name: "start", access: "read-write", bytes: ({ batch, pixels }) => bytes32(batch * pixels) },
  ],
  constants: ({ batch, pixels, capacity }) => ({ batch, pixels, capacity }),
  workgroups: ({ batch, pixels }) => foldWorkgroups(batch * pixels),
};
