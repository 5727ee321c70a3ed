import wgsl from "../../shaders/fork_stream.wgsl" with { type: "text" };
import type { Kernel } from "./kernel.ts";

/** Splits off a random stream that no other fork of `stream` equals: uint32 (seed low, seed high, step, call). */
export const forkStream: Kernel<unknown, "stream" | "child"> = {
  name: "fork_stream",
  wgsl,
  bindings: [
    { name: "stream", access: "read-write", bytes: () => 16 },
    { name: "child", access: "read-write", bytes: () => 16 },
  ],
  constants: () => ({}),
  workgroups: () => [1, 1, 1],
};
