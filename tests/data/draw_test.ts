import assert from "node:assert/strict";
import { Draw, drawSome, stratifiedDraw } from "../../src/data/draw.ts";
import { Purpose, RandomStream } from "../../src/random/philox.ts";

/** Labels of a folder, class by class. */
const sorted = (sizes: readonly number[]) =>
  sizes.flatMap((size, label) => new Array<number>(size).fill(label));

const countsOf = (labels: readonly number[], draw: Uint32Array, classes: number) =>
  Array.from({ length: classes }, (_, c) => draw.filter((index) => labels[index] === c).length);

Deno.test("stratifiedDraw() gives each class its share of a folder sorted by class", () => {
  const equal = sorted([40, 40, 40]);
  assert.deepEqual(countsOf(equal, stratifiedDraw(equal, 30, Draw.attack), 3), [10, 10, 10]);
  assert.deepEqual(countsOf(equal, stratifiedDraw(equal, 80, Draw.dataLimit), 3).toSorted(), [26, 27, 27]);
  const uneven = sorted([900, 90, 10]);
  assert.deepEqual(countsOf(uneven, stratifiedDraw(uneven, 100, Draw.attack), 3), [90, 9, 1]);
});

Deno.test("stratifiedDraw() rounds every share up or down, whatever the classes' sizes and the number drawn", () => {
  const stream = new RandomStream(3, Purpose.sampling, 0);
  for (let trial = 0; trial < 60; trial++) {
    const classes = 1 + stream.integer(100 * trial, 25);
    const sizes = Array.from(
      { length: classes },
      (_, c) => 1 + Math.floor(200 * stream.uniform(100 * trial + c + 1) ** 3),
    );
    const labels = sorted(sizes);
    const taken = new Array<number>(classes).fill(0);
    stratifiedDraw(labels, labels.length, Draw.attack).forEach((index, k) => {
      taken[labels[index]!]!++;
      const shares = sizes.map((size) => size * (k + 1) / labels.length);
      assert(shares.every((share, c) => Math.abs(taken[c]! - share) < 1), `${taken} of ${sizes}`);
    });
    assert.deepEqual(taken, sizes);
  }
});

Deno.test("stratifiedDraw() nests: more images are the same ones and others, and all are all", () => {
  const labels = sorted([13, 50, 7, 30]);
  const all = stratifiedDraw(labels, 100, Draw.attack);
  assert.deepEqual([...all].toSorted((a, b) => a - b), [...labels.keys()]);
  for (const count of [0, 1, 9, 99, 100]) {
    assert.deepEqual(stratifiedDraw(labels, count, Draw.attack), all.subarray(0, count));
  }
  assert.deepEqual(stratifiedDraw(labels, Infinity, Draw.attack), all);
  assert.notDeepEqual(stratifiedDraw(labels, 100, Draw.landscape), all, "uses do not share a draw");
  assert.equal(stratifiedDraw([], 5, Draw.attack).length, 0);
});

Deno.test("stratifiedDraw() does not depend on how the classes are numbered", () => {
  const labels = sorted([13, 50, 7, 30]);
  const renumbered = labels.map((label) => [2, 0, 3, 1][label]!);
  assert.deepEqual(stratifiedDraw(renumbered, 20, Draw.attack), stratifiedDraw(labels, 20, Draw.attack));
});

Deno.test("stratifiedDraw() takes any image of a class as often as another", () => {
  // Over the uses' independent draws, images from both halves of a class are taken about equally often.
  const labels = sorted([100, 100]);
  const uses = Object.values(Draw);
  const early = uses.map((use) =>
    stratifiedDraw(labels, 100, use).filter((index) => index % 100 < 50).length
  );
  // Hypergeometric in each class: a variance of 50/4 · 50/99 each, so 3.6 is the deviation of the sum of two. Over the
  // uses it is 3.6/√uses.
  const mean = early.reduce((sum, count) => sum + count, 0) / uses.length;
  assert(Math.abs(mean - 50) < 4 * 3.6 / Math.sqrt(uses.length), `${early}`);
});

Deno.test("drawSome() leaves few as they are, and takes some of many at random", () => {
  assert.deepEqual([...drawSome(4, 10, Draw.classes)], [0, 1, 2, 3]);
  const some = drawSome(100, 10, Draw.classes);
  assert.deepEqual([...some], [...new Set(some)].toSorted((a, b) => a - b));
  assert(some.length === 10 && some.at(-1)! > 30 && some.at(-1)! < 100);
});
