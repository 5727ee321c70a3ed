import assert from "node:assert/strict";
import { frechetDistance, gaussianStatistics } from "../../src/evaluate/frechet.ts";
import { inceptionScore } from "../../src/evaluate/generation.ts";
import { frechetInterval, scoreInterval } from "../../src/evaluate/generation_intervals.ts";
import { softmaxRows } from "../../src/evaluate/probabilities.ts";
import { processesInOne } from "../distributed/processes_in_one.ts";
import { values } from "../kernels/harness.ts";

const options = { seed: 1, stream: 0 };

Deno.test("frechetInterval() has the width that distances of new samples of one law have", async () => {
  const real = await gaussianStatistics(values(2000 * 3, 11), 3);
  // Uniform values, shifted by 0.5. An interval should cover the estimate's spread over sets of 200.
  const sets = Array.from({ length: 60 }, (_, i) => values(200 * 3, 100 + i).map((value) => value + 0.5));
  const distances = await Promise.all(
    sets.map(async (set) => frechetDistance(real, await gaussianStatistics(set, 3))),
  );
  const mean = distances.reduce((sum, value) => sum + value / 60, 0);
  const deviation = Math.sqrt(distances.reduce((sum, value) => sum + (value - mean) ** 2 / 59, 0));
  const [low, high] = (await frechetInterval(real, sets[0]!, options))!;
  assert(low < distances[0]! && distances[0]! < high);
  // A deviation estimated from 60 values is off by 1/√118 of itself, and intervals vary with their samples. The bound
  // is three times that.
  assert(Math.abs((high - low) / (2 * 1.96 * deviation) - 1) < 3 / Math.sqrt(118) + 0.05);
});

Deno.test("frechetInterval() divided among ranks is that of one process, and none for too many features", async () => {
  const [real, generated] = [await gaussianStatistics(values(50 * 4, 1), 4), values(30 * 4, 2)];
  const whole = await frechetInterval(real, generated, options);
  const ranks = processesInOne(3).map((rank) => frechetInterval(real, generated, options, rank));
  for (const interval of await Promise.all(ranks)) assert.deepEqual(interval, whole);
  const wide = { dimension: 2048, mean: new Float64Array(0), covariance: new Float64Array(0) };
  assert.equal(await frechetInterval(wide, new Float32Array(10 * 2048), options), undefined);
});

Deno.test("scoreInterval() lies around the score, and shrinks with the root of the images", () => {
  const score = (images: number) => {
    const probabilities = softmaxRows(values(images * 5, 3, -4, 4), 5);
    const { mean } = inceptionScore(probabilities, 5, 1);
    const [low, high] = scoreInterval(probabilities, 5, options);
    assert(low < mean && mean < high, `${low}–${high} around ${mean}`);
    // The percentiles are moved to both sides of the value.
    assert(Math.abs((high - mean) / (mean - low) - 1) < 0.5);
    return high - low;
  };
  assert(Math.abs(score(200) / score(3200) - 4) < 1);
});
