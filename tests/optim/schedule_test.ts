import assert from "node:assert/strict";
import { learningRateAt } from "../../src/optim/schedule.ts";

const published = {
  learningRate: 0.1,
  warmup: 1000,
  decayIterations: [23_400, 46_800, 70_200],
  decayRate: 0.2,
};

Deno.test("learningRateAt() warms up from 0, stays, and decays", () => {
  const expected: [number, number][] = [[0, 0], [500, 0.05], [1000, 0.1], [23_399, 0.1], [23_400, 0.02], [
    70_200,
    0.0008,
  ]];
  for (const [iteration, rate] of expected) {
    assert(Math.abs(learningRateAt(published, iteration) - rate) < 1e-12, `iteration ${iteration}`);
  }
});

Deno.test("learningRateAt() without warm-up starts at the full rate", () => {
  assert.equal(learningRateAt({ ...published, warmup: 0 }, 0), 0.1);
});
