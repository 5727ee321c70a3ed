import assert from "node:assert/strict";
import { divergence } from "../../../src/kernels/optimiser/divergence.ts";
import { runKernel } from "../harness.ts";

Deno.test("divergence() notices what is too large or not finite, and remembers the first", async () => {
  const run = async (likelihood: number, loss: number, status = new Uint32Array(4)) => {
    const result = await runKernel(divergence, { limit: 1e5 }, {
      likelihood: Float32Array.of(likelihood),
      loss: Float32Array.of(loss),
      stream: Uint32Array.of(1, 2, 33, 0),
      status,
    });
    return new Uint32Array(result.status.slice().buffer);
  };
  const bits = (value: number) => new Uint32Array(Float32Array.of(value).buffer)[0]!;
  assert.deepEqual([...await run(99_999, 3)], [0, 0, 0, 0]);
  for (const [likelihood, loss] of [[1e6, 1], [-1e6, 1], [1, Infinity], [-Infinity, 1]] as const) {
    assert.deepEqual([...await run(likelihood, loss)], [1, 33, bits(likelihood), bits(loss)]);
  }
  assert.equal((await run(1, NaN))[0], 1);
  assert.equal((await run(NaN, 1))[0], 1);
  assert.deepEqual([...await run(1e9, 1, Uint32Array.of(1, 7, 8, 9))], [1, 7, 8, 9]);
});
