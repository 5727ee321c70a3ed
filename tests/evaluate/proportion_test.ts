import assert from "node:assert/strict";
import { shareInterval, wilsonInterval } from "../../src/evaluate/proportion.ts";

Deno.test("wilsonInterval() gives the known bounds", () => {
  // Computed with Wilson's formula in decimal arithmetic with 30 digits.
  const cases: [number, number, number, number][] = [
    [0, 10, 0, 0.2775328],
    [10, 10, 0.7224672, 1],
    [50, 100, 0.4038315, 0.5961685],
    [1, 1, 0.2065493, 1],
    [357, 360, 0.9757893, 0.9971619],
  ];
  for (const [hits, trials, low, high] of cases) {
    const [lower, upper] = wilsonInterval(hits, trials);
    assert(
      Math.abs(lower - low) < 1e-6 && Math.abs(upper - high) < 1e-6,
      `${hits}/${trials}: ${lower}, ${upper}`,
    );
  }
  assert.deepEqual(wilsonInterval(0, 0), [0, 1]);
});

Deno.test("wilsonInterval() bounds the proportions that are no surprise", () => {
  // At a bound p, the observed share lies 1.96 standard deviations of p away from p.
  for (const [hits, trials] of [[3, 20], [199, 200], [7, 8]] as const) {
    for (const bound of wilsonInterval(hits, trials)) {
      const score = (hits / trials - bound) / Math.sqrt(bound * (1 - bound) / trials);
      assert(Math.abs(Math.abs(score) - 1.959963985) < 1e-9);
    }
  }
});

Deno.test("shareInterval() takes the share for what it is a share of", () => {
  assert.deepEqual(shareInterval(1 / 3, 120), wilsonInterval(40, 120));
  assert.deepEqual(shareInterval(0.1 + 0.2, 10), wilsonInterval(3, 10));
});
