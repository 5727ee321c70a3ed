import assert from "node:assert/strict";
import { FloatImages } from "../../src/evaluate/features.ts";
import { inceptionFeatures } from "../../src/evaluate/inception_features.ts";
import { Context } from "../../src/tensor/context.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { testGpu, values } from "../kernels/harness.ts";

Deno.test("inceptionFeatures() gives the network three channels of 8-bit values in [0, 1], batch by batch", async () => {
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
      return { pool3, logits: context.zeros([rows, 4]) };
    },
  };
  const source = new FloatImages(context, images, [4, 3, 1]);
  const { pool3, dimension, probabilities, classes } = await inceptionFeatures(context, network, source, 20);
  await Promise.all(reads);
  assert.deepEqual(shapes, [[16, 4, 3, 3], [4, 4, 3, 3]]);
  const byte = (value: number) => Math.round((Math.min(1, Math.max(-1, value)) + 1) * 127.5) / 255;
  assert.deepEqual(seen, [...images].flatMap((value) => Array(3).fill(Math.fround(byte(value)))));
  assert.deepEqual([...pool3], [...Array(32).fill(16), ...Array(8).fill(4)]);
  assert.deepEqual([dimension, classes, probabilities.length], [2, 4, 80]);
  assert(probabilities.every((p) => p === 0.25));
});
