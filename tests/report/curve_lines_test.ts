/** How curves become lines of a chart, and how numbers become its labels. */

import assert from "node:assert/strict";
import { nearest, placed, positive, spacing } from "../../web/curves/line.ts";
import { tickText, timeText, valueText } from "../../web/curves/numbers.ts";

const point = (iteration: number, value: number, seconds = NaN) => ({ iteration, seconds, value });

Deno.test("points lie over iterations or over time, with gaps where they have no value", () => {
  const curve = [point(0, 1, 5), point(1, NaN, 6), point(2, 3), point(3, 4, 6), point(4, 5, 5.5)];
  assert.deepEqual(placed(curve, "iteration", 0), { x: [0, 1, 2, 3, 4], y: [1, null, 3, 4, 5] });
  // By time, points at the same time are moved apart, and a point without a time is left out.
  assert.deepEqual(placed(curve, "seconds", 0), { x: [5, 5.5, 6, 6.000001], y: [1, 5, null, 4] });
});

Deno.test("a running mean forgets by iterations, not by points", () => {
  const { y } = placed([point(0, 0), point(1, 1), point(2, NaN), point(5, 1)], "iteration", 4);
  const first = 1 - Math.exp(-1 / 4);
  assert.deepEqual(y, [0, first, null, first + (1 - Math.exp(-4 / 4)) * (1 - first)]);
});

Deno.test("a logarithmic scale leaves out zeros; where values are below zero it goes to both sides", () => {
  const [above, zero, below] = [[1, 2], [0, 1], [-1, 1]].map((y) => ({ x: [0, 1], y }));
  assert.equal(spacing("linear", [below!]), "linear");
  assert.equal(spacing("log", [above!, zero!]), "log");
  assert.equal(spacing("log", [above!, below!]), "asinh");
  assert.deepEqual(positive(zero!), { x: [0, 1], y: [null, 1] });
});

Deno.test("the nearest point is found within a line, and none beside it", () => {
  const line = { x: [0, 10, 20, 100], y: [1, 2, 3, 4] };
  const found = [-3, -1, 0, 4, 6, 15, 16, 70, 101, 103].map((place) => nearest(line, place));
  assert.deepEqual(found, [undefined, 0, 0, 0, 1, 1, 2, 3, 3, undefined]);
  assert.equal(nearest({ x: [], y: [] }, 0), undefined);
  assert.equal(nearest({ x: [5], y: [1] }, 5), 0);
});

Deno.test("values, times and ticks are short", () => {
  assert.deepEqual([0, 0.5, -2.71828, 123456, 1e-5, 1e9].map(valueText), [
    "0",
    "0.5",
    "−2.718",
    "123500",
    "1.00e−5",
    "1.00e+9",
  ]);
  assert.deepEqual([0.25, 12, 75, 3599.7, 7260].map(timeText), [
    "0.3 s",
    "12 s",
    "1 min 15 s",
    "1 h 0 min",
    "2 h 1 min",
  ]);
  assert.deepEqual([0, 0.2, 30, 90, 600, 5400, 86400].map(tickText), [
    "0",
    "0.2 s",
    "30 s",
    "1 min 30 s",
    "10 min",
    "1 h 30 min",
    "1 d",
  ]);
});
