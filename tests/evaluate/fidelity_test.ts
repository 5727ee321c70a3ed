/** `fidelity.py` printed the expected values, using NumPy, SciPy and scikit-learn. */

import assert from "node:assert/strict";
import { copying, median } from "../../src/evaluate/copying.ts";
import { fidelity, realBalls } from "../../src/evaluate/fidelity.ts";
import { nearestRows, squaredRadii } from "../../src/evaluate/neighbours.ts";
import { squaredDistances } from "../../src/evaluate/squared_distances.ts";
import { processesInOne } from "../distributed/processes_in_one.ts";

const options = { seed: 1, stream: 0 };

function scattered(rows: number, dimension: number, first: number, scale = 1, shift = 0): Float32Array {
  return Float32Array.from({ length: rows * dimension }, (_, at) => {
    const i = first + at;
    return shift + scale * Math.fround((i * i * 7919 + i * 104729) % 1009 / 1009);
  });
}

/** Points with integer coordinates. Many are equal or equally far from each other. */
function grid(rows: number, first: number, shift = 0): Float32Array {
  return Float32Array.from({ length: 2 * rows }, (_, at) => {
    const i = first + Math.floor(at / 2);
    return shift + (at % 2 === 0 ? i * i % 3 : (i * 5 + i ** 3) % 4);
  });
}

const line = (...values: number[]) => Float32Array.from(values);
const fourfold = Float32Array.from(
  [0, 1, 2, 3, 4].flatMap((row) =>
    Array.from({ length: 4 }, () => [...scattered(5, 2, 1).subarray(2 * row, 2 * row + 2)]).flat()
  ),
);

type Case = [
  name: string,
  real: Float32Array,
  fake: Float32Array,
  dimension: number,
  k: number,
  expected: [precision: number, recall: number, density: number, coverage: number],
];

const cases: Case[] = [
  ["scattered", scattered(60, 3, 1), scattered(40, 3, 500, 0.5, 0.25), 3, 5, [1, 0.4, 1.305, 0.7]],
  [
    "more rows than a block has",
    scattered(200, 7, 3),
    scattered(130, 7, 4000),
    7,
    3,
    [127 / 130, 195 / 200, 425 / 130 / 3, 0.89],
  ],
  ["ties and duplicates, k = 2", grid(20, 0), grid(15, 4), 2, 2, [1 / 15, 0.1, 1 / 15, 0.1]],
  ["ties and duplicates, k = 3", grid(20, 0), grid(15, 4), 2, 3, [4 / 15, 0.25, 11 / 45, 0.25]],
  ["ties and duplicates, shifted", grid(20, 0), grid(15, 4, 1), 2, 4, [0, 1, 0, 0]],
  ["a line, k = 1", line(0, 1, 2, 4, 8, 16), line(0.5, 3, 9, 100), 1, 1, [0.75, 1, 1.25, 5 / 6]],
  ["a line, k = 2", line(0, 1, 2, 4, 8, 16), line(0.5, 3, 9, 100), 1, 2, [0.75, 1, 1, 1]],
  ["a point just as far as the radius is outside", line(0, 1, 10, 11), line(-1, 12), 1, 1, [0, 1, 0, 0]],
  ["generated = real", scattered(60, 3, 1), scattered(60, 3, 1), 3, 5, [1, 1, 1, 1]],
  ["k copies of each real one leave its ball empty", fourfold, scattered(5, 2, 1), 2, 3, [0, 1, 0, 0]],
];

for (const [name, real, fake, dimension, k, expected] of cases) {
  Deno.test(`fidelity() equals the reference: ${name}`, async () => {
    const found = await fidelity(await realBalls(real, dimension, k), fake, options);
    const { precision, recall, density, coverage } = found;
    [precision, recall, density, coverage].forEach(({ value, interval: [low, high] }, i) => {
      assert(Math.abs(value - expected[i]!) < 1e-12, `${i}: ${value}, not ${expected[i]}`);
      assert(low <= value && value <= high, `${low}–${high} around ${value}`);
    });
  });
}

Deno.test("fidelity() leaves out samples that are not numbers, and takes none for inside", async () => {
  const balls = await realBalls(line(0, 1, 2, 4, 8, 16), 1, 1);
  const { precision, coverage } = await fidelity(balls, line(0.5, 3, 9, 100, NaN, NaN), options);
  assert(Math.abs(precision.value - 3 / 6) < 1e-12);
  assert(Math.abs(coverage.value - 5 / 6) < 1e-12);
  const lost = await fidelity(balls, line(NaN, NaN, 1e30), options);
  assert.deepEqual([lost.precision, lost.recall, lost.density, lost.coverage].map(({ value }) => value), [
    0,
    0,
    0,
    0,
  ]);
});

Deno.test("no k that is not below the number of images is taken", async () => {
  for (const k of [3, 4, 0, -1, 1.5, NaN]) {
    await assert.rejects(
      squaredRadii(line(1, 2, 3), 1, k),
      (error: Error) =>
        error instanceof RangeError && error.message === `3 images do not have ${k} nearest neighbours each`,
    );
  }
  const balls = await realBalls(line(0, 1, 2, 3), 1, 2);
  await assert.rejects(fidelity(balls, line(0, 1), options), /2 images do not have 2 nearest neighbours/);
  assert.deepEqual([...await squaredRadii(line(1, 2, 4), 1, 2)], [9, 4, 9]);
});

Deno.test("fidelity() and nearestRows() divided among ranks are those of one process, bit for bit", async () => {
  const [real, fake] = [scattered(200, 7, 3), scattered(130, 7, 4000)];
  const whole = await fidelity(await realBalls(real, 7), fake, options);
  const nearest = await nearestRows(fake, real, 7);
  for (const size of [2, 3, 5]) {
    const divided = await Promise.all(
      processesInOne(size).map(async (rank) => {
        const found = await fidelity(await realBalls(real, 7, 5, rank), fake, options, rank);
        return { found, nearest: await nearestRows(fake, real, 7, rank) };
      }),
    );
    for (const rank of divided) assert.deepEqual(rank, { found: whole, nearest });
  }
});

Deno.test("squaredDistances() keep what near neighbours far from the origin differ in, whatever the block", () => {
  // In float32, |a|² + |b|² − 2a·b would lose these differences completely.
  const far = Float32Array.from({ length: 7 * 3 }, (_, i) => 2 ** 23 + (i * i) % 5);
  const found = squaredDistances(far, far, 3, 0, 7);
  for (let i = 0; i < 7; i++) {
    for (let j = 0; j < 7; j++) {
      const exact = [0, 1, 2].reduce((sum, k) => sum + (far[3 * i + k]! - far[3 * j + k]!) ** 2, 0);
      assert.equal(found[i * 7 + j], exact);
    }
  }
  assert.deepEqual([...squaredDistances(far, far, 3, 5, 2)], [...found.subarray(35)]);
});

Deno.test("nearestRows() finds the first of the nearest, and its distance", async () => {
  const { indices, distances } = await nearestRows(scattered(23, 2, 2000, 0.5), scattered(80, 2, 1), 2);
  assert.deepEqual([...indices.subarray(0, 6)], [63, 58, 60, 58, 70, 39]);
  [0.06333811402649477, 0.06471686143845319, 0.014172791790858674].forEach((distance, i) =>
    assert(Math.abs(distances[i]! - distance) < 1e-15)
  );
  assert.deepEqual(await nearestRows(line(1, NaN), line(5, 0, 2, 0), 1), {
    indices: Float64Array.of(1, 0),
    distances: Float64Array.of(1, Infinity),
  });
});

Deno.test("copying() is the Mann-Whitney statistic, a half for equal laws and one for copies", async () => {
  const [train, held, made] = [scattered(80, 2, 1), scattered(31, 2, 700), scattered(23, 2, 2000, 0.5)];
  const distances = async (images: Float32Array) => (await nearestRows(images, train, 2)).distances;
  const [ofMade, ofHeld] = [await distances(made), await distances(held)];
  const { value, interval: [low, high] } = copying(ofMade, ofHeld, options);
  assert(Math.abs(value - 0.47685834502103785) < 1e-12);
  assert(low < value && value < high && high - low < 0.5);
  const tied = copying(Float64Array.of(0, 0, 1, 2, 2, 3), Float64Array.of(0, 1, 1, 2, 4), options);
  assert(Math.abs(tied.value - 0.5333333333333333) < 1e-12);
  assert.equal(copying(await distances(train), ofHeld, options).value, 1);
  assert.equal(copying(ofHeld, ofHeld, options).value, 0.5);
  assert.equal(copying(Float64Array.of(Infinity), Float64Array.of(1, Infinity), options).value, 0.25);
  assert.deepEqual([median(Float64Array.of(10, 9, 1)), median(Float64Array.of(10, 9, 1, 2))], [9, 5.5]);
});
