import assert from "node:assert/strict";
import { FloatImages } from "../../src/evaluate/features.ts";
import { inceptionFeatures, type PixelScale } from "../../src/evaluate/inception_features.ts";
import { Context } from "../../src/tensor/context.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { testGpu, values } from "../kernels/harness.ts";

/** The value that the network must see for a pixel value. */
const scales: Record<PixelScale, (value: number) => number> = {
  "8-bit": (value) => Math.round((value + 1) * 127.5) / 255,
  unrounded: (value) => (value + 1) / (2 + 1e-5),
};

for (const [scale, expected] of Object.entries(scales) as [PixelScale, (value: number) => number][]) {
  Deno.test(`inceptionFeatures() gives the network three channels in [0, 1], batch by batch (${scale})`, () =>
    seesColours(scale, expected));
}

async function seesColours(scale: PixelScale, expected: (value: number) => number): Promise<void> {
  const context = new Context(await testGpu());
  const images = values(20 * 12, 1, -1.1, 1.1);
  const seen: number[] = [];
  const shapes: (readonly number[])[] = [];
  const reads: Promise<unknown>[] = [];
  const network = {
    features(batch: Tensor) {
      shapes.push(batch.shape);
      reads.push(batch.read().then((data) => seen.push(...data)));
      const rows = batch.shape[0]!;
      const pool3 = context.from(new Float32Array(2 * rows).fill(rows), [rows, 2]);
      const biased = context.from(Float32Array.from({ length: 4 * rows }, (_, i) => i), [rows, 4]);
      return { pool3, logits: biased, unbiasedLogits: context.zeros([rows, 4]) };
    },
  };
  const source = new FloatImages(context, images, [4, 3, 1]);
  const { pool3, dimension, probabilities, classes } = await inceptionFeatures(
    context,
    network,
    source,
    scale,
  );
  await Promise.all(reads);
  assert.deepEqual(shapes, [[16, 4, 3, 3], [4, 4, 3, 3]]);
  const clamped = images.map((value) => Math.min(1, Math.max(-1, value)));
  const colours = Array.from(clamped, expected).flatMap((value) => [value, value, value]);
  const error = Math.max(...seen.map((value, i) => Math.abs(value - colours[i]!)));
  assert(seen.length === colours.length && error < 1.2e-7, `off by ${error}`);
  assert.deepEqual([...pool3], [...Array(32).fill(16), ...Array(8).fill(4)]);
  assert.deepEqual([dimension, classes, probabilities.length], [2, 4, 80]);
  assert(probabilities.every((p) => p === 0.25));
}
