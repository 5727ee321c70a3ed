import assert from "node:assert/strict";
import { FormatError } from "../../src/errors.ts";
import { comparisonSection } from "../../src/report/comparison.ts";
import { evaluationOf, pointsOf } from "../../src/report/evaluation_file.ts";
import { reportPage } from "../../src/report/html.ts";

Deno.test("evaluationOf() refuses what is no evaluation, in one line", () => {
  const many = Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`set ${i}`, {}]));
  const cases: [unknown, RegExp][] = [
    ...[null, 7, "x", [], {}, { results: null }, { results: [] }].map((value): [unknown, RegExp] => [
      value,
      /holds no results/,
    ]),
    [{ results: { classification: 7 } }, /"classification" is not an object/],
    [{ results: { "\x1b[2J": null } }, /"\\x1b\[2J" is not an object/],
    [{ results: {}, data: [] }, /"data" is not an object/],
    [{ results: { outOfDistribution: many } }, /101 other sets/],
  ];
  for (const [value, message] of cases) {
    assert.throws(() => evaluationOf(value), (error) => {
      assert(error instanceof FormatError);
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /\p{Cc}/u);
      return true;
    });
  }
});

Deno.test("pointsOf() takes curves, and nothing else", () => {
  assert.deepEqual(pointsOf([[0, 1], [2, 0.5]]), [[0, 1], [2, 0.5]]);
  for (
    const value of [
      undefined,
      null,
      [],
      "x",
      [[0]],
      [[0, null]],
      [[0, "1"]],
      [1, 2],
      Array(1001).fill([0, 1]),
    ]
  ) {
    assert.equal(pointsOf(value), undefined);
  }
});

Deno.test("evaluations of any contents are compared, and names with control characters break no plot", async () => {
  const strange = [
    { robustness: { linf: { points: [[0, 1], [1, "x"]], records: 3 }, images: { deep: [[[]]] } } },
    { robustness: { linf: { points: [[0, 0.9]] } }, landscape: { ascent: "curve" } },
    {
      generation: { fidelity: { samples: 3, space: [1] }, memorisation: [], frechetClassifierDistance: "1" },
    },
    { generation: { fidelity: { samples: { precision: { value: 0.5, interval: [0, "1"] } } } } },
    { robustness: { linf: { points: [[0, 0.8], [8, 0.1]] } }, outOfDistribution: { "a\x1b[31m<b>": {} } },
  ];
  const evaluations = strange.map((results, i) => ({
    name: `run\x1b\x01\ufffe${"abcde"[i]}`,
    ...evaluationOf({ results }),
  }));
  const { section, files } = await comparisonSection(evaluations);
  const page = reportPage({ title: "t", subtitle: "\x1b[2J", key: [], sections: [section] });
  const svg = [...files].filter(([name]) => name.endsWith(".svg")).map(([, contents]) => String(contents));
  assert.equal(svg.length, 1);
  for (const text of [page, ...svg]) assert.doesNotMatch(text, /[^\n\P{Cc}]|\ufffe/u);
});
