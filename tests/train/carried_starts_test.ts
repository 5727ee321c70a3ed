import assert from "node:assert/strict";
import { imageBytes } from "../../src/data/dataset.ts";
import { loadDataset } from "../../src/data/load.ts";
import { symmetricEigenvalues } from "../../src/evaluate/symmetric.ts";
import { streamWords } from "../../src/random/philox.ts";
import { Context } from "../../src/tensor/context.ts";
import { carriedStart, carriesStarts, withStarts } from "../../src/train/carried_starts.ts";
import { informativeStart } from "../../src/train/chain_starts.ts";
import { decodeCheckpoint, modelOnly, serializeCheckpoint } from "../../src/train/checkpoint/checkpoint.ts";
import { serializeOfficial } from "../../src/train/checkpoint/import.ts";
import { fitClassGaussians } from "../../src/train/class_gaussians.ts";
import { testGpu } from "../kernels/harness.ts";

const digits = await loadDataset({ name: "digits" });
const shipped = await decodeCheckpoint(
  await Deno.readFile(new URL("../../data/models/digits.safetensors", import.meta.url)),
);
const rank = 12;
const gaussians = fitClassGaussians(digits, { rank });

/** Mean and (1/n) covariance of a class's training images, in [−1, 1]. */
function moments(label: number): { mean: number[]; covariance: Float64Array } {
  const { train, maximum } = digits;
  const size = imageBytes(digits);
  const images = [...train.labels.keys()].filter((i) => train.labels[i] === label).map((i) =>
    [...train.bytes.subarray(i * size, (i + 1) * size)].map((byte) => 2 * byte / maximum - 1)
  );
  const mean = images[0]!.map((_, p) => images.reduce((sum, image) => sum + image[p]!, 0) / images.length);
  const covariance = Float64Array.from({ length: size * size }, (_, at) => {
    const [p, q] = [Math.floor(at / size), at % size];
    return images.reduce((sum, image) => sum + (image[p]! - mean[p]!) * (image[q]! - mean[q]!), 0) /
      images.length;
  });
  return { mean, covariance };
}

Deno.test("fitClassGaussians() finds the means and the best factors of their rank", () => {
  const size = imageBytes(digits);
  for (const label of [0, 1, 7]) {
    const { mean, covariance } = moments(label);
    mean.forEach((value, p) => assert(Math.abs(gaussians.means[label * size + p]! - value) < 1e-7));
    const factor = gaussians.factors.subarray(label * rank * size, (label + 1) * rank * size);
    const left = covariance.slice();
    for (let k = 0; k < rank; k++) {
      for (let at = 0; at < left.length; at++) {
        left[at]! -= factor[k * size + Math.floor(at / size)]! * factor[k * size + at % size]!;
      }
    }
    // The best approximation leaves the smallest eigenvalues, and none below 0 (Eckart, Young and Mirsky).
    const all = symmetricEigenvalues(covariance, size).toSorted().reverse();
    const rest = symmetricEigenvalues(left, size).toSorted().reverse();
    const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0);
    const [best, found] = [sum(all.subarray(rank)), sum(rest)];
    assert(found > best - 1e-6 && found < best * 1.001, `${found} is left, where ${best} could be`);
    assert(rest.at(-1)! > -1e-6);
  }
});

Deno.test("fitClassGaussians() takes more directions than there are, and refuses a class without images", () => {
  const { train } = digits;
  const size = imageBytes(digits);
  const two = [train.labels.indexOf(0), train.labels.lastIndexOf(0)];
  const others = [...train.labels.keys()].filter((i) => train.labels[i] !== 0);
  const chosen = (indices: readonly number[]) => ({
    ...digits,
    train: {
      ...train,
      count: indices.length,
      labels: Uint32Array.from(indices, (i) => train.labels[i]!),
      bytes: Uint8Array.from(indices.flatMap((i) => [...train.bytes.subarray(i * size, (i + 1) * size)])),
    },
  });
  const { factors } = fitClassGaussians(chosen([...two, ...others]), { rank: 3 });
  const column = (k: number) => [...factors.subarray(k * size, (k + 1) * size)];
  // The covariance of two images is that of half their difference.
  const half = column(0).map((_, p) =>
    (train.bytes[two[0]! * size + p]! - train.bytes[two[1]! * size + p]!) / digits.maximum
  );
  const sign = Math.sign(column(0).reduce((sum, value, p) => sum + value * half[p]!, 0));
  column(0).forEach((value, p) => assert(Math.abs(value - sign * half[p]!) < 1e-6));
  for (const k of [1, 2]) assert(column(k).every((value) => value === 0), "no further directions");
  assert.throws(() => fitClassGaussians(chosen(others), { rank: 3 }), {
    name: "DataError",
    message: /class 0/,
  });
});

Deno.test("a model carries its starts through files, rounded to float16, and draws from their law", async () => {
  const context = new Context(await testGpu());
  assert(!carriesStarts(shipped));
  const bytes = await serializeCheckpoint(withStarts(shipped, gaussians));
  const carrying = await decodeCheckpoint(bytes);
  assert(carriesStarts(carrying) && carriesStarts(modelOnly(carrying)));
  assert.deepEqual(await serializeCheckpoint(carrying), bytes);
  assert.deepEqual(
    serializeOfficial(carrying),
    serializeOfficial(shipped),
    "the official code has no place for them",
  );

  const [count, label] = [4000, 3];
  const start = informativeStart(context, carrying, () => assert.fail("it needs no images"));
  const [classes, stream] = [new Uint32Array(count).fill(label), streamWords(1, 0)];
  using images = start.fresh(context.from(stream, [4]), context.from(classes, [count]));
  const values = await images.read();
  const size = imageBytes(digits);
  const { mean } = moments(label);
  const { data: factors } = carrying.tensors.get("start_factors")!;
  for (let p = 0; p < size; p++) {
    let variance = 1e-4;
    for (let k = 0; k < rank; k++) variance += factors[(label * rank + k) * size + p]! ** 2;
    const expected = clampedMoments(mean[p]!, variance);
    const all = Array.from({ length: count }, (_, n) => values[n * size + p]!);
    const average = all.reduce((sum, value) => sum + value, 0) / count;
    const square = all.reduce((sum, value) => sum + value ** 2, 0) / count;
    // The bounds are five standard errors, plus the means' rounding to float16. No value's square is above 1.
    const error = 5 / Math.sqrt(count);
    assert(Math.abs(average - expected.mean) < error * Math.sqrt(expected.variance) + 5e-4);
    assert(Math.abs(square - expected.square) < error * Math.sqrt(expected.square) + 1e-3);
  }
});

/** Moments of a normal variable clamped to [−1, 1], from a sum over 20,001 of its values. */
function clampedMoments(mean: number, variance: number) {
  const [steps, reach] = [10_000, 8];
  let [weights, first, second] = [0, 0, 0];
  for (let i = -steps; i <= steps; i++) {
    const z = reach * i / steps;
    const value = Math.max(-1, Math.min(1, mean + z * Math.sqrt(variance)));
    const weight = Math.exp(-z * z / 2);
    weights += weight;
    first += weight * value;
    second += weight * value * value;
  }
  const [average, square] = [first / weights, second / weights];
  return { mean: average, square, variance: square - average ** 2 };
}

Deno.test("a model carries the number of steps of its chains, and one that no chain may have is refused", async () => {
  const { samplingSteps } = await decodeCheckpoint(
    await serializeCheckpoint({ ...shipped, samplingSteps: 60 }),
  );
  assert.equal(samplingSteps, 60);
  assert.equal(shipped.samplingSteps, undefined);
  for (const wrong of [-1, 0.5, NaN, 10_001, 2 ** 60]) {
    const file = await serializeCheckpoint({ ...shipped, samplingSteps: wrong });
    await assert.rejects(decodeCheckpoint(file), {
      name: "CheckpointError",
      message: `damaged checkpoint: samplingSteps is ${wrong}`,
    });
  }
});

Deno.test("starts that do not fit the model are refused", async () => {
  const context = new Context(await testGpu());
  const carrying = withStarts(shipped, gaussians);
  const change = (name: string, shape: readonly number[] | undefined, first = 0) => {
    const tensors = new Map(carrying.tensors);
    const data = new Float32Array(shape?.reduce((product, extent) => product * extent, 1) ?? 0);
    data[0] = first;
    if (shape) tensors.set(name, { shape, data });
    else tensors.delete(name);
    return () => carriedStart(context, { ...carrying, tensors });
  };
  assert.throws(change("start_factors", undefined), { name: "CheckpointError", message: /no start_factors/ });
  assert.throws(change("start_factors", [10, 0, 1, 8, 8]), {
    name: "CheckpointError",
    message: /no start_factors/,
  });
  assert.throws(change("start_factors", [9, 4, 1, 8, 8]), {
    name: "CheckpointError",
    message: /start_factors/,
  });
  assert.throws(change("start_factors", [10, 4, 1, 8, 8], NaN), {
    name: "CheckpointError",
    message: /start_factors holds NaN/,
  });
  assert.throws(change("start_means", [10, 1, 8, 9]), { name: "CheckpointError", message: /start_means/ });
  assert.throws(change("start_means", [10, 1, 8, 8], Infinity), {
    name: "CheckpointError",
    message: /start_means holds Infinity/,
  });
});
