/** The cosine transform, and what Gaussians of the classes keep with it. */

import assert from "node:assert/strict";
import { imageBytes } from "../../src/data/dataset.ts";
import { loadDataset } from "../../src/data/load.ts";
import { Context } from "../../src/tensor/context.ts";
import { decodeCheckpoint, modelOnly, serializeCheckpoint } from "../../src/train/checkpoint/checkpoint.ts";
import { carriedStart, withStarts } from "../../src/train/carried_starts.ts";
import { fitClassGaussians } from "../../src/train/class_gaussians.ts";
import { CosineTransform } from "../../src/train/cosine_transform.ts";
import { testGpu } from "../kernels/harness.ts";

const digits = await loadDataset({ name: "digits" });
const size = imageBytes(digits);

/** The definition of wave `k` of `n` values at `i`. */
function cosine(n: number, k: number, i: number): number {
  return Math.sqrt((k === 0 ? 1 : 2) / n) * Math.cos(Math.PI / n * (i + 0.5) * k);
}

/** The wave with this index of an image of this shape, pixel by pixel. */
function wave([height, width, channels]: readonly [number, number, number], index: number): number[] {
  const [k, c] = [Math.floor(index / channels), index % channels];
  return Array.from({ length: height * width * channels }, (_, pixel) => {
    const place = Math.floor(pixel / channels);
    return cosine(height, Math.floor(k / width), Math.floor(place / width)) *
      cosine(width, k % width, place % width) * cosine(channels, c, pixel % channels);
  });
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((sum, value, i) => sum + value * b[i]!, 0);

Deno.test("CosineTransform gives the products with its waves, which are orthonormal", () => {
  const shape = [3, 5, 2] as const;
  const transform = new CosineTransform(shape);
  const image = Float64Array.from({ length: 30 }, (_, i) => Math.sin(i * i));
  const coefficients = transform.coefficients(image);
  const rebuilt = new Float64Array(30);
  for (let index = 0; index < 30; index++) {
    const expected = wave(shape, index);
    assert(Math.abs(coefficients[index]! - dot(expected, image)) < 1e-12);
    const written = new Float32Array(32).fill(NaN);
    transform.writeWave(index, coefficients[index]!, written, 1);
    assert(Number.isNaN(written[0]) && Number.isNaN(written[31]));
    expected.forEach((value, i) => {
      assert(Math.abs(written[i + 1]! - coefficients[index]! * value) < 1e-6);
      rebuilt[i]! += coefficients[index]! * value;
    });
  }
  image.forEach((value, i) => assert(Math.abs(rebuilt[i]! - value) < 1e-12));
});

Deno.test("fitClassGaussians() keeps the variance that its factors leave out, wave by wave", () => {
  const [rank, label] = [3, 7];
  const { factors, deviations } = fitClassGaussians(digits, { rank, spectrum: true });
  const images = [...digits.train.labels.keys()].filter((i) => digits.train.labels[i] === label).map((i) =>
    Array.from(digits.train.bytes.subarray(i * size, (i + 1) * size), (byte) => byte / digits.maximum * 2 - 1)
  );
  const waves = Array.from({ length: size }, (_, index) => wave([8, 8, 1], index));
  let total = 0;
  waves.forEach((one, index) => {
    const products = images.map((image) => dot(image, one));
    const mean = products.reduce((sum, value) => sum + value, 0) / images.length;
    let variance = products.reduce((sum, value) => sum + (value - mean) ** 2, 0) / images.length;
    for (let k = 0; k < rank; k++) {
      const first = (label * rank + k) * size;
      variance -= dot(factors.subarray(first, first + size), one) ** 2;
    }
    const kept = deviations![label * size + index]! ** 2;
    total += kept;
    // The factors are float32.
    assert(Math.abs(kept - variance) < 1e-5, `wave ${index}: ${kept} and ${variance}`);
  });
  assert(total > 1, "three directions leave much out");
  assert.equal(fitClassGaussians(digits, { rank }).deviations, undefined);
});

Deno.test("a model's starts have the variance of the directions and the waves that it carries", async () => {
  const context = new Context(await testGpu());
  const file = await Deno.readFile(new URL("../../data/models/digits.safetensors", import.meta.url));
  const shipped = modelOnly(await decodeCheckpoint(file));
  const gaussians = fitClassGaussians(digits, { rank: 3, spectrum: true });
  const bytes = await serializeCheckpoint(withStarts(shipped, gaussians));
  const carrying = await decodeCheckpoint(bytes);
  assert.deepEqual(await serializeCheckpoint(carrying), bytes);

  const start = carriedStart(context, carrying);
  const [classes, count] = start.factors.shape as [number, number];
  assert.deepEqual(start.factors.shape, [10, 64, 8, 8, 1], "random streams are drawn by fours");
  const columns = await start.factors.read();
  const varianceOf = (data: Float32Array, label: number, waves: number) =>
    dot(
      data.subarray(label * waves * size, (label + 1) * waves * size),
      data.subarray(label * waves * size, (label + 1) * waves * size),
    );
  for (let label = 0; label < classes; label++) {
    const own = gaussians.deviations!.subarray(label * size, (label + 1) * size);
    // The three faintest waves of 64 are left out.
    const kept = own.toSorted().subarray(3);
    const expected = varianceOf(gaussians.factors, label, 3) + dot(kept, kept);
    // float16 rounds by 2⁻¹¹ at most, which a square doubles.
    const relative = varianceOf(columns, label, count) / expected - 1;
    assert(Math.abs(relative) < 2 ** -10, `class ${label}: ${relative}`);
    const [first, last] = [3, count - 1].map((k) => {
      const column = columns.subarray((label * count + k) * size, (label * count + k + 1) * size);
      return dot(column, column);
    });
    assert(first! >= last!, "the largest deviations come first");
  }

  const tensors = new Map(carrying.tensors);
  tensors.set("start_deviations", { shape: [10, 1, 8, 9], data: new Float32Array(720) });
  assert.throws(() => carriedStart(context, { ...carrying, tensors }), {
    name: "CheckpointError",
    message: /start_deviations/,
  });
});
