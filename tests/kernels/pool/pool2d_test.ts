import assert from "node:assert/strict";
import { pool2d, pool2dOutputSize, type Pool2dShape } from "../../../src/kernels/pool/pool2d.ts";
import { channelRange, position } from "../feature_maps.ts";
import { relativeError, runKernel, values } from "../harness.ts";

const window: Pool2dShape = {
  batch: 2,
  height: 7,
  width: 9,
  channels: 12,
  kernel: 3,
  stride: 1,
  padding: 1,
  average: false,
  outOffset: 0,
  outStride: 12,
};

/** The network's pools, and others. */
const pools: readonly Pool2dShape[] = [
  window,
  { ...window, stride: 2, padding: 0 },
  { ...window, stride: 2, padding: 0, height: 8, width: 6, outOffset: 8, outStride: 24 },
  { ...window, batch: 3, height: 1, width: 1, channels: 4, outStride: 4 },
  { ...window, kernel: 2, stride: 3, padding: 1, outOffset: 4, outStride: 16 },
];

for (const average of [false, true]) {
  Deno.test(`pool2d() equals the definition: ${average ? "mean" : "maximum"}`, async () => {
    for (const pool of pools) {
      const shape = { ...pool, average };
      const { batch, height, width, channels, outStride } = shape;
      // All values are negative, so that a maximum that began at zero would show.
      const input = values(batch * height * width * channels, 1, -2, -1);
      const expected = poolBy(shape, input);
      const length = expected.length / channels * outStride;
      const { output } = await runKernel(pool2d, shape, { input, output: length });
      const inside = channelRange(output, shape, channels);
      assert(relativeError(inside.values, expected) < 1e-6, JSON.stringify(shape));
      assert(inside.othersUntouched, "channels outside the range were written");
    }
  });
}

/** Pooling by its definition, with dense channels. */
function poolBy(shape: Pool2dShape, input: Float32Array): Float64Array {
  const { batch, height, width, channels, kernel, stride, padding, average } = shape;
  const out = pool2dOutputSize(shape);
  return Float64Array.from({ length: batch * out.height * out.width * channels }, (_, i) => {
    const { image, y, x } = position(Math.floor(i / channels), out);
    const seen: number[] = [];
    for (let tap = 0; tap < kernel * kernel; tap++) {
      const row = y * stride + Math.floor(tap / kernel) - padding;
      const column = x * stride + tap % kernel - padding;
      if (row < 0 || row >= height || column < 0 || column >= width) continue;
      seen.push(input[((image * height + row) * width + column) * channels + i % channels]!);
    }
    return average ? seen.reduce((sum, value) => sum + value, 0) / seen.length : Math.max(...seen);
  });
}

Deno.test("pool2d() refuses what it does not support", () => {
  const pool = (change: Partial<Pool2dShape>) => () => pool2d.constants({ ...window, ...change });
  assert.throws(pool({ channels: 6 }), /pool2d: channels must be a multiple of 4, not 6/);
  assert.throws(pool({ padding: 3 }), /pool2d: padding 3 with kernel 3/);
  assert.throws(pool({ outOffset: 4 }), /pool2d: channels 4 to 16 of 12/);
});
