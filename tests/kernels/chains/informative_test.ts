import assert from "node:assert/strict";
import { classMeans } from "../../../src/kernels/chains/class_means.ts";
import { gaussianSample } from "../../../src/kernels/chains/gaussian_sample.ts";
import { informativeSample } from "../../../src/kernels/chains/informative_sample.ts";
import type { Operand } from "../../../src/kernels/run.ts";
import { dataset, scaled } from "../dataset.ts";
import { runKernel, values } from "../harness.ts";

/** 300 images of three classes, with 37 values each, in one or more buffers. */
function classified(cuts: readonly number[]) {
  const [count, classes, pixels, maximum] = [300, 3, 37, 255];
  const { bytes } = dataset(count * pixels, maximum);
  const labels = Uint32Array.from({ length: count }, (_, i) => i % 7 === 0 ? 2 : i % 2);
  const lists = [0, 1, 2].map((label) => [...labels.keys()].filter((i) => labels[i] === label));
  const before = new Uint32Array(classes);
  const buffers = cuts.map((first, part) => {
    const end = cuts[part + 1] ?? count;
    const members: number[] = [];
    const inside = lists.map((list) => list.filter((i) => i >= first && i < end));
    let start = 4 * classes;
    inside.forEach((list, label) => {
      members.push(start, list.length, before[label]!, lists[label]!.length);
      start += list.length;
      before[label]! += list.length;
    });
    members.push(...inside.flat().map((i) => i - first));
    const words = new Uint32Array(Math.ceil((end - first) * pixels / 4));
    new Uint8Array(words.buffer).set(bytes.subarray(first * pixels, end * pixels));
    const shape = {
      classes,
      pixels,
      count: end - first,
      listed: members.length - 4 * classes,
      maximumCount: Math.max(...lists.map((list) => list.length)),
      maximum,
      first: part === 0,
      last: part === cuts.length - 1,
    };
    return { shape, words, members: Uint32Array.from(members) };
  });
  const value = (image: number, pixel: number) => scaled(bytes[image * pixels + pixel]!, maximum);
  const mean = (label: number, pixel: number) =>
    lists[label]!.reduce((sum, image) => sum + value(image, pixel), 0) / lists[label]!.length;
  return { buffers, lists, value, mean, classes, pixels };
}

for (const cuts of [[0], [0, 90, 91, 240]]) {
  Deno.test(`classMeans() is the mean of each class, to float32 rounding, from ${cuts.length} buffers`, async () => {
    const { buffers, mean, classes, pixels } = classified(cuts);
    let means: Operand = classes * pixels;
    for (const { shape, words, members } of buffers) {
      const result: { means: Float32Array } = await runKernel(classMeans, shape, {
        bytes: words,
        members,
        means,
      });
      means = result.means;
    }
    (means as Float32Array).forEach((value, i) => {
      assert(Math.abs(value - mean(Math.floor(i / pixels), i % pixels)) < 1e-7 * (2 + cuts.length));
    });
  });

  Deno.test(`informativeSample() is the class's affine map, from ${cuts.length} buffers, clamped or not`, async () => {
    const { buffers, lists, value, mean, classes, pixels } = classified(cuts);
    const { maximumCount } = buffers[0]!.shape;
    const sampleClasses = Uint32Array.of(2, 0xffffffff, 0, 1);
    const means = Float32Array.from(
      { length: classes * pixels },
      (_, i) => mean(Math.floor(i / pixels), i % pixels),
    );
    const weights = values(4 * maximumCount, 6, -2, 2);
    const noise = values(4 * pixels, 7, -2, 2);
    for (const clamp of [false, true]) {
      let samples: Operand = 4 * pixels;
      for (const { shape, words, members } of buffers) {
        const result: { samples: Float32Array } = await runKernel(informativeSample, {
          ...shape,
          batch: 4,
          clamp,
        }, {
          bytes: words,
          members,
          means,
          sampleClasses,
          weights,
          noise,
          samples,
        });
        samples = result.samples;
      }
      (samples as Float32Array).forEach((sample, i) => {
        const [n, p] = [Math.floor(i / pixels), i % pixels];
        const list = lists[sampleClasses[n]!];
        if (!list) {
          assert(Number.isNaN(sample), "skipped samples stay as they are");
          return;
        }
        const center = mean(sampleClasses[n]!, p);
        const sum = list.reduce(
          (total, image, k) => total + weights[n * maximumCount + k]! * (value(image, p) - center),
          0,
        );
        const expected = center + sum / Math.sqrt(list.length) + 0.01 * noise[i]!;
        const bounded = clamp ? Math.max(-1, Math.min(1, expected)) : expected;
        // A sum of some 130 products of order 1, divided by the root of their number.
        assert(Math.abs(sample - bounded) < 5e-6);
      });
    }
  });
}

Deno.test("gaussianSample() is the class's affine map, clamped, and leaves skipped samples alone", async () => {
  for (const rank of [1, 6]) {
    const [batch, classes, pixels] = [5, 3, 37];
    const means = values(classes * pixels, 1, -1, 1);
    const factors = values(classes * rank * pixels, 2, -1, 1);
    const sampleClasses = Uint32Array.of(2, 0xffffffff, 0, 1, 2);
    const weights = values(batch * rank, 3, -1, 1);
    const noise = values(batch * pixels, 4, -2, 2);
    const shape = { batch, classes, pixels, rank };
    const operands = { means, factors, sampleClasses, weights, noise, samples: batch * pixels };
    const { samples } = await runKernel(gaussianSample, shape, operands);
    samples.forEach((sample, i) => {
      const [n, p] = [Math.floor(i / pixels), i % pixels];
      const label = sampleClasses[n]!;
      if (label >= classes) {
        assert(Number.isNaN(sample), "skipped samples stay as they are");
        return;
      }
      let expected = means[label * pixels + p]! + 0.01 * noise[i]!;
      for (let k = 0; k < rank; k++) {
        expected += weights[n * rank + k]! * factors[(label * rank + k) * pixels + p]!;
      }
      // At most seven roundings of values below 8.
      assert(Math.abs(sample - Math.max(-1, Math.min(1, expected))) < 7 * 2 ** -22);
    });
  }
});
