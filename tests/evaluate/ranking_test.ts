import assert from "node:assert/strict";
import { separation } from "../../src/evaluate/ranking.ts";
import { pythonWith, runPython } from "../python.ts";
import { goldenFloats, goldenNumbers } from "./metrics.ts";

Deno.test("separation() gives scikit-learn's AUROC, ties and all", () => {
  for (const suffix of ["", "_2"]) {
    const { auroc } = separation(
      goldenFloats(`auroc.positive_scores${suffix}`),
      goldenFloats(`auroc.negative_scores${suffix}`),
    );
    assert(Math.abs(auroc - goldenNumbers(`auroc.value${suffix}`)[0]!) < 1e-14);
  }
});

Deno.test("separation() of equal sets is chance, and of separate sets perfect", () => {
  const scores = goldenFloats("auroc.positive_scores");
  const equal = separation(scores, scores);
  assert.deepEqual([equal.auroc, Math.abs(equal.falsePositiveRate95 - 0.95) < 0.03], [0.5, true]);
  assert.deepEqual(separation([2, 3, 4], [0, 1]), { auroc: 1, aupr: 1, falsePositiveRate95: 0 });
  assert.deepEqual(separation([0, 1], [2, 3, 4]).auroc, 0);
  assert.equal(separation([0, 1], [2, 3]).falsePositiveRate95, 1);
  assert.deepEqual(separation([1, 1], [1, 1, 1]), { auroc: 0.5, aupr: 0.4, falsePositiveRate95: 1 });
});

Deno.test("separation() by counting pairs and thresholds one by one", () => {
  const positives = [5, 3, 3, 1, 4, 4, 2, 0.5];
  const negatives = [3, 0, 1, 4, 2.5, 2.5];
  const { auroc, aupr, falsePositiveRate95 } = separation(positives, negatives);
  let pairs = 0;
  for (const p of positives) for (const n of negatives) pairs += p > n ? 1 : p === n ? 0.5 : 0;
  assert(Math.abs(auroc - pairs / 48) < 1e-14);
  let [area, recallBefore] = [0, 0];
  for (const threshold of [...new Set([...positives, ...negatives])].sort((a, b) => b - a)) {
    const hits = positives.filter((score) => score >= threshold).length;
    const alarms = negatives.filter((score) => score >= threshold).length;
    area += (hits / 8 - recallBefore) * hits / (hits + alarms);
    recallBefore = hits / 8;
  }
  assert(Math.abs(aupr - area) < 1e-14);
  // 95 % of eight positives are all eight, so the threshold is the lowest score, 0.5.
  assert.equal(falsePositiveRate95, 5 / 6);
});

Deno.test("separation() refuses empty sets and scores that are no numbers", () => {
  assert.throws(() => separation([], [1]), RangeError);
  assert.throws(() => separation([1], [NaN]), RangeError);
});

const python = await pythonWith("sklearn.metrics");

Deno.test({
  name: "separation() gives scikit-learn's average precision (skipped without python3-sklearn)",
  ignore: python === undefined,
  async fn() {
    const positives = [...goldenFloats("auroc.positive_scores")];
    const negatives = [...goldenFloats("auroc.negative_scores")];
    const script = `
import sys, json
from sklearn.metrics import average_precision_score
p, n = json.loads(sys.argv[1])
print(average_precision_score([1] * len(p) + [0] * len(n), p + n))`;
    const expected = Number(await runPython(python!, script, JSON.stringify([positives, negatives])));
    assert(Math.abs(separation(positives, negatives).aupr - expected) < 1e-12);
  },
});
