import assert from "node:assert/strict";
import { expandImages } from "../../../src/kernels/images/expand.ts";
import { dataset, scaled } from "../dataset.ts";
import { runKernel } from "../harness.ts";

Deno.test("expandImages() reflects, crops, flips and scales", async () => {
  for (
    const [height, width, channels, padding] of [[8, 8, 1, 1], [5, 7, 3, 0], [7, 5, 1, 4], [
      32,
      32,
      3,
      4,
    ]] as const
  ) {
    const [count, maximum] = [9, channels === 1 ? 16 : 255];
    const size = height * width * channels;
    const { bytes, words } = dataset(count * size, maximum);
    const indices = Uint32Array.of(8, 0, 3, 3, 5);
    const shifts = [[padding, padding, 0], [0, 0, 1], [2 * padding, 0, 0], [padding, 2 * padding, 1], [
      0,
      1,
      0,
    ]];
    const crops = Uint32Array.from(
      shifts,
      ([dy, dx, flip]) => dy! | Math.min(dx!, 2 * padding) << 8 | flip! << 16,
    );
    const shape = { batch: 5, height, width, channels, first: 0, count, maximum, padding };
    const { images } = await runKernel(expandImages, shape, {
      bytes: words,
      indices,
      crops,
      images: 5 * size,
    });
    const reflect = (i: number, n: number) => i < 0 ? -i : i >= n ? 2 * n - 2 - i : i;
    images.forEach((value, i) => {
      const [n, y, x, c] = [
        Math.floor(i / size),
        Math.floor(i / channels / width) % height,
        Math.floor(i / channels) % width,
        i % channels,
      ];
      const crop = crops[n]!;
      const column = crop >> 16 & 1 ? width - 1 - x : x;
      const sy = reflect(y + (crop & 255) - padding, height);
      const sx = reflect(column + (crop >> 8 & 255) - padding, width);
      const byte = bytes[indices[n]! * size + (sy * width + sx) * channels + c]!;
      assert(Math.abs(value - scaled(byte, maximum)) < 2e-7);
      if (byte === 0) assert.equal(value, -1);
      if (byte === maximum) assert.equal(value, 1);
    });
  }
});

Deno.test("expandImages() leaves alone what lies in another buffer", async () => {
  const { words } = dataset(4 * 6, 255);
  const shape = { batch: 4, height: 3, width: 2, channels: 1, first: 10, count: 4, maximum: 255, padding: 0 };
  const indices = Uint32Array.of(9, 10, 13, 14);
  const { images } = await runKernel(expandImages, shape, {
    bytes: words,
    indices,
    crops: new Uint32Array(4),
    images: 24,
  });
  const written = [0, 1, 2, 3].map((n) =>
    images.subarray(6 * n, 6 * n + 6).every((value) => !Number.isNaN(value))
  );
  assert.deepEqual(written, [false, true, true, false]);
});
