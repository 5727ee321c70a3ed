import assert from "node:assert/strict";
import { classMeans } from "../../../src/kernels/chains/class_means.ts";
import { expandImages } from "../../../src/kernels/images/expand.ts";
import { informativeSample } from "../../../src/kernels/chains/informative_sample.ts";
import type { Operand } from "../../../src/kernels/run.ts";
import { runKernel, values } from "../harness.ts";

/** Deterministic bytes up to `maximum`, and the words that hold them. */
function dataset(length: number, maximum: number) {
  const bytes = Uint8Array.from(values(length, 5, 0, maximum + 1), Math.floor);
  bytes[0] = 0;
  bytes[1] = maximum;
  const words = new Uint32Array(Math.ceil(length / 4));
  new Uint8Array(words.buffer).set(bytes);
  return { bytes, words };
}

const scaled = (value: number, maximum: number) => value / maximum * 2 - 1;

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

/** 300 images of three classes, 37 values each, in one or more buffers. */
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
        // A sum of some 130 products of order 1, divided by its root.
        assert(Math.abs(sample - bounded) < 5e-6);
      });
    }
  });
}
