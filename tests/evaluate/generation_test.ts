import assert from "node:assert/strict";
import { frechetDistance, gaussianStatistics } from "../../src/evaluate/frechet.ts";
import { bestOfClasses, inceptionScore, kernelDistance } from "../../src/evaluate/generation.ts";
import { congruence, pivotedCholesky, symmetricEigenvalues } from "../../src/evaluate/symmetric.ts";
import { processesInOne } from "../distributed/processes_in_one.ts";
import { values } from "../kernels/harness.ts";
import { goldenFloats, goldenNumbers } from "./metrics.ts";

const dimension = 64;
const [a, b] = [goldenFloats("fid.features_a"), goldenFloats("fid.features_b")];
const first = (features: Float32Array, rows: number) => features.subarray(0, rows * dimension);

Deno.test("frechetDistance() equals the official values, with singular covariances too", async () => {
  const pairs: Record<string, [Float32Array, Float32Array]> = {
    a_b: [a, b],
    a40_b: [first(a, 40), b],
    a40_b50: [first(a, 40), first(b, 50)],
    a_a: [a, a],
    a40_a40: [first(a, 40), first(a, 40)],
  };
  for (const [name, [one, other]] of Object.entries(pairs)) {
    const [x, y] = [await gaussianStatistics(one, dimension), await gaussianStatistics(other, dimension)];
    const expected = goldenNumbers(`fid.value_${name}`)[0]!;
    // The official square root of a singular matrix is itself off by 4e-7, and its symmetric counterpart by 7e-8.
    for (const distance of [frechetDistance(x, y), frechetDistance(y, x)]) {
      assert(Math.abs(distance - expected) < 1e-6, `${name}: ${distance}, not ${expected}`);
    }
  }
});

Deno.test("frechetDistance() of one-dimensional Gaussians is the textbook formula", async () => {
  const gaussian = (mean: number, deviation: number) => ({
    dimension: 1,
    mean: Float64Array.of(mean),
    covariance: Float64Array.of(deviation ** 2),
  });
  assert(Math.abs(frechetDistance(gaussian(1, 2), gaussian(4, 0.5)) - (9 + 2.25)) < 1e-12);
  await assert.rejects(gaussianStatistics(new Float32Array(3), 3), RangeError);
});

Deno.test("gaussianStatistics() and kernelDistance() divided among ranks are those of one process, bit for bit", async () => {
  const kernel = { subsets: 5, subsetSize: 20, seed: 3 };
  // Odd and even dimensions, and fewer rows of the covariance than ranks.
  for (const features of [64, 63, 2, 1]) {
    const rows = a.subarray(0, 30 * features);
    const whole = await gaussianStatistics(rows, features);
    const distance = await kernelDistance(a, b, features, kernel);
    for (const size of [2, 3, 5]) {
      const ranks = processesInOne(size);
      const divided = await Promise.all(ranks.map((rank) => gaussianStatistics(rows, features, rank)));
      for (const statistics of divided) assert.deepEqual(statistics, whole);
      const distances = await Promise.all(ranks.map((rank) => kernelDistance(a, b, features, kernel, rank)));
      for (const found of distances) assert.deepEqual(found, distance);
    }
  }
});

Deno.test("symmetricEigenvalues() finds those of matrices that are built from them", () => {
  for (const n of [1, 2, 3, 17, 60]) {
    const wanted = Float64Array.from({ length: n }, (_, i) => i % 3 === 0 ? 0 : (i - n / 2) * 1.7);
    // Q = I − 2uuᵀ is orthogonal and symmetric.
    const u = values(n, 5);
    const norm = Math.hypot(...u);
    const q = Float64Array.from({ length: n * n }, (_, k) => {
      const [i, j] = [Math.floor(k / n), k % n];
      return Number(i === j) - 2 * u[i]! * u[j]! / norm ** 2;
    });
    const matrix = Float64Array.from({ length: n * n }, (_, k) => {
      const [i, j] = [Math.floor(k / n), k % n];
      let sum = 0;
      for (let m = 0; m < n; m++) sum += q[i * n + m]! * wanted[m]! * q[j * n + m]!;
      return sum;
    });
    const found = symmetricEigenvalues(matrix, n).sort();
    const expected = wanted.toSorted();
    found.forEach((value, i) =>
      assert(Math.abs(value - expected[i]!) < 1e-12 * n, `${value}, ${expected[i]}`)
    );
  }
});

Deno.test("pivotedCholesky() factors singular matrices and finds their rank", () => {
  const [n, rank] = [12, 5];
  const basis = Float64Array.from(values(n * rank, 3));
  const gram = Float64Array.from({ length: n * n }, (_, k) => {
    let sum = 0;
    for (let r = 0; r < rank; r++) sum += basis[Math.floor(k / n) * rank + r]! * basis[k % n * rank + r]!;
    return sum;
  });
  const found = pivotedCholesky(gram, n);
  assert.equal(found.rank, rank);
  assert.deepEqual([...found.order].sort((x, y) => x - y), [...Array(n).keys()]);
  const entry = (i: number, k: number) => found.factor[i * rank + k]!;
  for (let i = 0; i < n; i++) {
    for (let k = i + 1; k < rank; k++) assert.equal(entry(i, k), 0, "lower triangular");
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let k = 0; k < rank; k++) sum += entry(i, k) * entry(j, k);
      assert(Math.abs(sum - gram[found.order[i]! * n + found.order[j]!]!) < 1e-13);
    }
  }
});

Deno.test("congruence() is Fᵀ·A·F in the factor's order", () => {
  const n = 9;
  const [b, c] = [values(n * 4, 7), values(n * n, 8)];
  const positive = Float64Array.from({ length: n * n }, (_, k) => {
    let sum = 0;
    for (let r = 0; r < 4; r++) sum += b[Math.floor(k / n) * 4 + r]! * b[k % n * 4 + r]!;
    return sum;
  });
  const symmetric = Float64Array.from({ length: n * n }, (_, k) => c[k]! + c[k % n * n + Math.floor(k / n)]!);
  const factor = pivotedCholesky(positive, n);
  const result = congruence(symmetric, factor);
  for (let i = 0; i < factor.rank; i++) {
    for (let j = 0; j < factor.rank; j++) {
      let sum = 0;
      for (let k = 0; k < n; k++) {
        for (let m = 0; m < n; m++) {
          sum += factor.factor[k * factor.rank + i]! * symmetric[factor.order[k]! * n + factor.order[m]!]! *
            factor.factor[m * factor.rank + j]!;
        }
      }
      assert(Math.abs(result[i * factor.rank + j]! - sum) < 1e-12);
    }
  }
});

Deno.test("inceptionScore() equals the official formula", () => {
  const softmax = goldenFloats("inception_score.softmax");
  for (const splits of [1, 5]) {
    const { mean, deviation } = inceptionScore(softmax, 12, splits);
    const expected = [`mean_${splits}_splits`, `std_${splits}_splits`].map((name) =>
      goldenNumbers(`inception_score.${name}`)[0]!
    );
    assert(Math.abs(mean - expected[0]!) < 1e-9 && Math.abs(deviation - expected[1]!) < 1e-9);
  }
});

Deno.test("kernelDistance() is zero on average for equal laws, and equals the definition", async () => {
  const options = { subsets: 20, subsetSize: 100, seed: 1 };
  const [half, otherHalf] = [a.subarray(0, 250 * dimension), a.subarray(250 * dimension)];
  const equal = await kernelDistance(half, otherHalf, dimension, options);
  const apart = await kernelDistance(a, b, dimension, options);
  assert(Math.abs(equal.mean) < 3 * equal.deviation && apart.mean > 10 * Math.abs(equal.mean));
  const [x, y] = [Float32Array.of(1, 2, 3, 4), Float32Array.of(0, 1, -1, 2)];
  const kernel = (p: number[], q: number[]) => ((p[0]! * q[0]! + p[1]! * q[1]!) / 2 + 1) ** 3;
  const [x0, x1, y0, y1] = [[1, 2], [3, 4], [0, 1], [-1, 2]];
  const within = kernel(x0!, x1!) + kernel(y0!, y1!);
  const across = (kernel(x0!, y0!) + kernel(x0!, y1!) + kernel(x1!, y0!) + kernel(x1!, y1!)) / 2;
  const exact = await kernelDistance(x, y, 2, { subsets: 1, subsetSize: 9, seed: 1 });
  assert(Math.abs(exact.mean - (within - across)) < 1e-9);
});

Deno.test("bestOfClasses() keeps a share of each assigned class, the best first", () => {
  const logits = Float32Array.of(1, 0, 1, 0, 0, 1, 1, 0, 1, 0);
  assert.deepEqual(bestOfClasses(logits, [0.1, 0.9, 0.5, 0.3, 0.9], 2, 0.75), [[1, 4, 3], []]);
  assert.deepEqual(bestOfClasses(logits, [0.1, 0.9, 0.5, 0.3, 0.9], 2, 1), [[1, 4, 3, 0], [2]]);
});
