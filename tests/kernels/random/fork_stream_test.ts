import assert from "node:assert/strict";
import { forkStream } from "../../../src/kernels/random/fork_stream.ts";
import { runKernel } from "../harness.ts";

Deno.test("forkStream() copies the stream and advances its call", async () => {
  const result = await runKernel(forkStream, undefined, { stream: Uint32Array.of(7, 8, 9, 4), child: 4 });
  const words = ({ buffer, byteOffset }: Float32Array) => [...new Uint32Array(buffer, byteOffset, 4)];
  assert.deepEqual([words(result.child), words(result.stream)], [[7, 8, 9, 4], [7, 8, 9, 5]]);
});
