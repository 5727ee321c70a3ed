/** Curves of a metrics file that grows, is damaged, or repeats iterations. */

import assert from "node:assert/strict";
import { MetricsReader } from "../../../src/train/run/metrics_reader.ts";
import { ThinnedCurve } from "../../../src/train/run/thinned_curve.ts";

/** A row as training writes it. */
function row(iteration: number, more: Readonly<Record<string, unknown>> = {}): string {
  return `${JSON.stringify({ iteration, loss: iteration / 10, realScore: -2, accuracy: 0.5, ...more })}\n`;
}

function readerOf(text: string, imagesPerIteration?: number): MetricsReader {
  const reader = new MetricsReader({ imagesPerIteration });
  reader.push(text);
  return reader;
}

Deno.test("a file of metrics is read as it grows, whatever the pieces", () => {
  const text = row(0) + row(1) + row(2, { loss: null }) + row(3);
  const whole = readerOf(text);
  assert.deepEqual(whole.curve("loss").map(({ iteration, value }) => [iteration, value]), [
    [0, 0],
    [1, 0.1],
    [2, NaN],
    [3, 0.3],
  ]);
  // An energy is minus the score.
  assert.deepEqual(whole.curve("realEnergy").map(({ value }) => value), [2, 2, 2, 2]);
  assert.deepEqual(whole.curve("generatedEnergy"), []);
  for (const size of [1, 7, 100]) {
    const pieces = new MetricsReader();
    for (let at = 0; at < text.length; at += size) pieces.push(text.slice(at, at + size));
    assert.deepEqual(pieces.curve("loss"), whole.curve("loss"));
    assert.equal(pieces.damaged, 0);
  }
});

Deno.test("the beginning of a line waits for its end, and counts without one when nothing follows", () => {
  const reader = readerOf(row(0) + row(1).slice(0, 20));
  assert.deepEqual([reader.rows, reader.damaged], [1, 0]);
  reader.push(row(1).slice(20));
  assert.deepEqual([reader.rows, reader.damaged], [2, 0]);
  reader.push(row(2).trimEnd());
  assert.equal(reader.rows, 2);
  reader.end();
  assert.deepEqual([reader.rows, reader.damaged], [3, 0]);
  const cut = readerOf(row(0) + row(1).slice(0, 20));
  cut.end();
  assert.deepEqual([cut.rows, cut.damaged], [1, 1]);
});

Deno.test("lines that are no rows are counted and left out", () => {
  const damaged = [
    "",
    "{",
    "null",
    "[1]",
    '"text"',
    "{}",
    '{"iteration":1}',
    '{"iteration":-1,"loss":1}',
    '{"iteration":1.5,"loss":1}',
    '{"iteration":"1","loss":1}',
    '{"iteration":1,"loss":"1"}',
    '{"iteration":1,"loss":1,"seconds":"5"}',
    '{"iteration":1,"set":"__proto__","testLoss":1}',
    '{"iteration":1,"set":{},"testLoss":1}',
    `{"iteration":1,"loss":1,"note":"${"x".repeat(2 ** 16)}"}`,
    "\0\0\0\0",
  ];
  for (const line of damaged) {
    const reader = readerOf(`${row(0)}${line}\n${row(2)}`);
    assert.deepEqual([reader.damaged, reader.rows], [1, 2], line.slice(0, 50));
    assert.deepEqual(reader.curve("loss").map(({ iteration }) => iteration), [0, 2]);
  }
  assert.equal(readerOf(damaged.join("\n") + "\n").damaged, damaged.length);
  // An endless line takes no memory and counts as one damaged line.
  const endless = new MetricsReader();
  for (let i = 0; i < 100; i++) endless.push("x".repeat(2 ** 15));
  endless.push(`\n${row(0)}`);
  assert.deepEqual([endless.damaged, endless.rows], [1, 1]);
});

Deno.test("rows of other versions are read as far as they go", () => {
  const reader = readerOf(
    row(0, { seconds: 1, learningRate: 0.1, recoveries: [{}], anything: "else" }) +
      `${JSON.stringify({ iteration: 1, seconds: 2.5, set: "test", testAccuracy: 0.75, testLoss: 1.5 })}\n` +
      `${JSON.stringify({ iteration: 1, set: "validation", testAccuracy: 0.5, testLoss: null })}\r\n` +
      row(1, { loss: 1e308 }).replace("1e+308", "1e999"),
  );
  assert.equal(reader.damaged, 0);
  assert.deepEqual(reader.curve("learningRate"), [{ iteration: 0, seconds: 1, value: 0.1 }]);
  assert.deepEqual(reader.curve("testAccuracy"), [{ iteration: 1, seconds: 2.5, value: 0.75 }]);
  assert.deepEqual(reader.curve("testLoss"), [{ iteration: 1, seconds: 2.5, value: 1.5 }]);
  // A test without its own time has the time of the row before it.
  assert.deepEqual(reader.curve("validationAccuracy"), [{ iteration: 1, seconds: 1, value: 0.5 }]);
  assert.deepEqual(reader.curve("validationLoss"), []);
  assert.deepEqual(reader.curve("loss").map(({ value }) => value), [0, NaN]);
  assert.deepEqual(reader.last, { iteration: 1, seconds: NaN });
});

Deno.test("of the rows of an iteration the last counts", () => {
  const reader = readerOf(
    [0, 1, 2, 3, 4].map((i) => row(i)).join("") + row(2, { loss: 7 }) + row(3, { loss: null }),
  );
  assert.deepEqual(reader.curve("loss").map(({ value }) => value), [0, 0.1, 7, NaN, 0.4]);
  assert.deepEqual([reader.repeated, reader.rows], [1, 7]);
});

Deno.test("the speed is measured over a second at least, and not across a return", () => {
  const text = [[0, 0], [1, 0.5], [2, 1], [3, 1], [7, 3], [4, 2.5], [5, 3.5]]
    .map(([iteration, seconds]) => row(iteration!, { seconds })).join("");
  assert.deepEqual(readerOf(text, 10).curve("imagesPerSecond"), [
    { iteration: 2, seconds: 1, value: 20 },
    { iteration: 5, seconds: 3.5, value: 10 },
    { iteration: 7, seconds: 3, value: 25 },
  ]);
  assert.deepEqual(readerOf(text).curve("imagesPerSecond"), []);
});

Deno.test("a thinned curve keeps its ends and every spike in bounded memory", () => {
  const mostBuckets = 64;
  const curve = new ThinnedCurve(mostBuckets);
  const length = 100_000;
  const spikes = new Map([[0, -3], [777, 50], [31_337, -50], [64_000, 51], [99_999, 4]]);
  for (let iteration = 0; iteration < length; iteration++) {
    const value = spikes.get(iteration) ?? Math.sin(iteration);
    curve.add({ iteration, seconds: iteration / 2, value });
    if (iteration % 1000 === 0) assert(curve.count <= 4 * mostBuckets);
  }
  const points = curve.points();
  assert(points.length > mostBuckets && points.length <= 4 * mostBuckets, `${points.length} points`);
  assert.deepEqual(points, points.toSorted((a, b) => a.iteration - b.iteration));
  const values = new Map(points.map(({ iteration, value }) => [iteration, value]));
  for (const [iteration, value] of spikes) assert.equal(values.get(iteration), value);
});

Deno.test("what a later row replaced is not shown in a thinned curve either", () => {
  const curve = new ThinnedCurve(16);
  for (let iteration = 0; iteration < 1000; iteration++) {
    curve.add({ iteration, seconds: NaN, value: iteration === 600 ? 99 : 1 });
  }
  for (let iteration = 500; iteration < 800; iteration++) {
    curve.add({ iteration, seconds: NaN, value: iteration === 700 ? 88 : 2 });
  }
  const points = curve.points();
  for (const { iteration, value } of points) {
    const isLater = iteration >= 500 && iteration < 800;
    assert.equal(value, iteration === 700 ? 88 : isLater ? 2 : 1, `iteration ${iteration}`);
  }
  assert(points.some(({ value }) => value === 88));
  assert.equal(points.at(-1)!.iteration, 999);
});

Deno.test("a thinned curve shows a gap where no iteration has a value", () => {
  const curve = new ThinnedCurve(8);
  for (let iteration = 0; iteration < 64; iteration++) {
    curve.add({ iteration, seconds: NaN, value: iteration >= 16 && iteration < 32 ? NaN : 1 });
  }
  const gaps = curve.points().filter(({ value }) => Number.isNaN(value)).map(({ iteration }) => iteration);
  assert.deepEqual(gaps, [16, 24]);
});

Deno.test("a sign of divergence is told as training tells it, while the last row shows one", () => {
  const reader = new MetricsReader({ classes: 10 });
  for (let i = 0; i < 20; i++) reader.push(row(i, { crossEntropy: 2 }));
  assert.equal(reader.sign, undefined);
  // The running mean over 8 rows is 2 + (50 − 2) / 8 = 8. Less log 10 = 2.303, it is more than 2.3.
  reader.push(row(20, { crossEntropy: 50 }));
  assert.deepEqual(reader.sign, {
    iteration: 20,
    began: 20,
    seen: "cross-entropy 5.70 above that of guessing",
  });
  reader.push(row(18, { crossEntropy: 2 }));
  assert.equal(reader.sign, undefined);
  reader.push(row(19, { crossEntropy: 2, loss: null }));
  assert.deepEqual(reader.sign, { iteration: 19, began: 19, seen: "a loss that is not finite" });
  assert.equal(readerOf(row(0, { crossEntropy: 50 })).sign, undefined);
});
