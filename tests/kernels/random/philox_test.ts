import assert from "node:assert/strict";
import { philoxNormal, philoxUniform } from "../../../src/kernels/random/philox.ts";
import { Purpose, RandomStream, streamWords } from "../../../src/random/philox.ts";
import { runKernel } from "../harness.ts";

const seeds = [0, 1, 2 ** 45 + 12345];

Deno.test("philoxUniform() equals the stream on the host, bit for bit", async () => {
  for (const seed of seeds) {
    for (const length of [1, 7, 1003]) {
      const shape = { length, purpose: Purpose.uniformStart, low: -1, high: 1 };
      const { values } = await runKernel(philoxUniform, shape, {
        stream: streamWords(seed, 5),
        values: length,
      });
      const stream = new RandomStream(seed, Purpose.uniformStart, 5);
      assert.deepEqual([...values], Array.from({ length }, (_, i) => 2 * stream.uniform(i) - 1));
    }
  }
});

Deno.test("philoxNormal() equals the stream on the host up to the accuracy of the device's functions", async () => {
  for (const seed of seeds) {
    const length = 4001;
    const shape = { length, purpose: Purpose.sgldNoise };
    const { values } = await runKernel(philoxNormal, shape, {
      stream: streamWords(seed, 2 ** 31 + 3),
      values: length,
    });
    const stream = new RandomStream(seed, Purpose.sgldNoise, 2 ** 31 + 3);
    // WGSL allows cos and sin an absolute error of 2^-11 within [−π, π] and more beyond. lavapipe's is 1e-6.
    values.forEach((value, i) => assert(Math.abs(value - stream.normal(i)) < 2e-3, `value ${i}`));
  }
});
