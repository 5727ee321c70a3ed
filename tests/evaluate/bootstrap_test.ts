import assert from "node:assert/strict";
import {
  bootstrapMeans,
  centredInterval,
  percentileInterval,
  resampled,
  resamples,
} from "../../src/evaluate/bootstrap.ts";
import { wilsonInterval } from "../../src/evaluate/proportion.ts";
import { values } from "../kernels/harness.ts";

Deno.test("percentileInterval() is numpy's percentile", () => {
  // np.percentile([3, 1, 4, 1, 5, 9, 2, 6, 5, 3], [2.5, 97.5])
  const [low, high] = percentileInterval(Float64Array.of(3, 1, 4, 1, 5, 9, 2, 6, 5, 3));
  assert(Math.abs(low - 1) < 1e-12 && Math.abs(high - 8.325) < 1e-12);
  assert.deepEqual(percentileInterval(Float64Array.of(7)), [7, 7]);
});

Deno.test("centredInterval() has the percentiles' width around the value, where resamples are off it", () => {
  const [low, high] = centredInterval(2, Float64Array.of(3, 1, 4, 1, 5, 9, 2, 6, 5, 3));
  assert(Math.abs(low - (1 + 2 - 3.9)) < 1e-12 && Math.abs(high - (8.325 + 2 - 3.9)) < 1e-12);
});

Deno.test("resampled() draws as many points as there are, the same with one seed and stream, others with another", () => {
  const drawn = (seed: number, stream: number) =>
    Array.from({ length: resamples }, (_, b) => [...resampled(7, { seed, stream }, b)]);
  const first = drawn(1, 0);
  for (const times of first) assert.equal(times.reduce((sum, count) => sum + count, 0), 7);
  assert.deepEqual(drawn(1, 0), first);
  assert.notDeepEqual(drawn(1, 1), first);
  assert.notDeepEqual(drawn(2, 0), first);
  // A point's counts have mean 1 and variance 1 − 1/7. Each must be within five of its standard errors.
  for (let point = 0; point < 7; point++) {
    const counts = first.map((times) => times[point]!);
    const mean = counts.reduce((sum, count) => sum + count, 0) / resamples;
    assert(Math.abs(mean - 1) < 5 * Math.sqrt(6 / 7 / resamples), `point ${point}: ${mean}`);
  }
});

Deno.test("bootstrapMeans() gives a mean's interval the width that the central limit theorem does", () => {
  const points = Float64Array.from(values(500, 3));
  const mean = points.reduce((sum, value) => sum + value / 500, 0);
  const deviation = Math.sqrt(points.reduce((sum, value) => sum + (value - mean) ** 2 / 500, 0));
  const { some } = bootstrapMeans({ some: { values: points, isProportion: false } }, { seed: 4, stream: 9 });
  const [low, high] = some.interval;
  const half = 1.959963984540054 * deviation / Math.sqrt(500);
  assert(Math.abs(some.value - mean) < 1e-12);
  // A 2.5 % quantile of 1,000 resamples is off by about 0.085 standard errors, which is 4.3 % of `half`. The bound is
  // four times that.
  for (const side of [mean - low, high - mean]) assert(Math.abs(side / half - 1) < 0.18, `${side}, ${half}`);
});

Deno.test("bootstrapMeans() gives a proportion of nothing or everything Wilson's interval", () => {
  const columns = {
    none: { values: new Float64Array(40), isProportion: true },
    all: { values: new Float64Array(40).fill(1), isProportion: true },
    some: { values: Float64Array.from({ length: 40 }, (_, i) => i % 2), isProportion: true },
    mean: { values: new Float64Array(40).fill(1), isProportion: false },
  };
  const { none, all, some, mean } = bootstrapMeans(columns, { seed: 1, stream: 0 });
  assert.deepEqual(none, { value: 0, interval: wilsonInterval(0, 40) });
  assert.deepEqual(all, { value: 1, interval: wilsonInterval(40, 40) });
  assert.deepEqual(mean, { value: 1, interval: [1, 1] });
  const [low, high] = some.interval;
  const [expectedLow, expectedHigh] = wilsonInterval(20, 40);
  assert(Math.abs(low - expectedLow) < 0.05 && Math.abs(high - expectedHigh) < 0.05);
});
