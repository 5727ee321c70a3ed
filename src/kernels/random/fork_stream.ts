import wgsl from "../../../shaders/random/fork_stream.wgsl" with { type: "text" };
import type { Kernel } from "../kernel.ts";

/**
 * Splits off a random stream that differs from every other fork of `stream`: uint32 (seed low, seed high, step, call).
 * @cost One invocation.
 * @example
 * ```ts
 * import { forkStream, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const { stream, child } = await run(forkStream, {}, {
 *   stream: Uint32Array.of(1, 2, 3, 0),
 *   child: new Uint32Array(4),
 * });
 * assert.deepEqual([...child], [1, 2, 3, 0]);
 * assert.deepEqual([...stream], [1, 2, 3, 1]); // the next child is another one
 * ```
 */
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
