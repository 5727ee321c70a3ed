import assert from "node:assert/strict";
import {
  globalAveragePool,
  globalAveragePoolBackward,
} from "../../../src/kernels/pool/global_average_pool.ts";
import { relativeError, runKernel, values } from "../harness.ts";

Deno.test("globalAveragePool() and its gradient average over the pixels", async () => {
  for (const [batch, pixels, channels] of [[1, 1, 4], [3, 5, 12], [2, 64, 64]] as const) {
    const shape = { batch, pixels, channels };
    const size = batch * pixels * channels;
    const input = values(size, 1);
    const expected = new Float64Array(batch * channels);
    const pooledIndex = (i: number) => Math.floor(i / (pixels * channels)) * channels + i % channels;
    input.forEach((value, i) => expected[pooledIndex(i)]! += value / pixels);
    const { output } = await runKernel(globalAveragePool, shape, { input, output: batch * channels });
    assert(relativeError(output, expected) < 1e-6);
    const outputGradient = values(batch * channels, 2);
    for (const accumulate of [false, true]) {
      const before = values(size, 3);
      const { inputGradient } = await runKernel(globalAveragePoolBackward, { ...shape, accumulate }, {
        outputGradient,
        inputGradient: accumulate ? before : size,
      });
      const gradient = before.map((value, i) =>
        (accumulate ? value : 0) + outputGradient[pooledIndex(i)]! / pixels
      );
      assert(relativeError(inputGradient, gradient) < 5e-7);
    }
  }
});
