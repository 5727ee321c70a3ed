import assert from "node:assert/strict";
import { columnSumChunks, columnSums } from "../../../src/kernels/reduce/column_sums.ts";
import { reduceSum } from "../../../src/kernels/reduce/reduce_sum.ts";
import { sumPartials } from "../../../src/kernels/reduce/sum_partials.ts";
import { runKernel, values } from "../harness.ts";

Deno.test("reduceSum() sums in fixed order, without what lies beyond the length", async () => {
  for (const length of [1, 3, 255, 256, 257, 1001, 100_003]) {
    const input = values(length, 1, 0, 1);
    const { sum } = await runKernel(reduceSum, { length, factor: 0.5 }, { input, sum: 1 });
    const expected = 0.5 * input.reduce((total, value) => total + value, 0);
    // There are 256 sums of 400 values, then eight levels of pairs.
    assert(Math.abs(sum[0]! / expected - 1) < 5e-6);
    const again = await runKernel(reduceSum, { length, factor: 0.5 }, { input, sum: 1 });
    assert.deepEqual(again.sum, sum);
  }
});

Deno.test("reduceSum() refuses more values than one loop may have iterations", () => {
  const most = 256 * 65_000;
  reduceSum.constants({ length: most, factor: 1 });
  assert.throws(
    () => reduceSum.constants({ length: most + 1, factor: 1 }),
    /reduce_sum: 16640001 values; at most 16640000 are summed/,
  );
});

/** Sums of the columns of each chunk of a matrix's rows. */
function sumsOf(matrix: Float32Array, columns: number, rowsPerChunk: number): Float64Array {
  const sums = new Float64Array(Math.ceil(matrix.length / columns / rowsPerChunk) * columns);
  matrix.forEach((value, i) =>
    sums[Math.floor(i / columns / rowsPerChunk) * columns + i % columns]! += value
  );
  return sums;
}

/** Rounding between sums in different orders. They are random walks, which may happen to end near zero. */
const rounding = 2e-5;

/**
 * The sums are random walks. Their rounding errors grow with the root of the number of terms, not with the sums
 * themselves.
 */
function within(actual: Float32Array, expected: ArrayLike<number>, steps: number): boolean {
  return actual.length === expected.length &&
    actual.every((value, i) => Math.abs(value - expected[i]!) < 1e-6 * Math.sqrt(steps));
}

for (
  const [rows, columns] of [[1, 1], [3, 10], [257, 16], [1000, 7], [700, 44], [70_000, 3], [
    66_000,
    4,
  ]] as const
) {
  Deno.test(`columnSums() sums chunks of 256 rows of ${rows}×${columns}, and sumPartials() these`, async () => {
    const matrix = values(rows * columns, 1);
    const chunks = columnSumChunks({ rows, columns });
    const { partials } = await runKernel(columnSums, { rows, columns }, {
      matrix,
      partials: chunks * columns,
    });
    assert(within(partials, sumsOf(matrix, columns, 256), 256));
    const { sum } = await runKernel(sumPartials, { partials: chunks, length: columns, accumulate: false }, {
      partials,
      sum: columns,
    }, rounding);
    assert(within(sum, sumsOf(matrix, columns, rows), rows));
  });
}

Deno.test("sumPartials() sums any number of parts, written or added, and refuses more than one loop may", async () => {
  for (
    const [partials, length] of [[1, 1], [7, 3], [8, 300], [9, 4], [13, 44], [100, 17], [1001, 36], [
      65_535,
      2,
    ]] as const
  ) {
    const parts = values(partials * length, 1);
    const present = values(length, 2);
    for (const accumulate of [false, true]) {
      const { sum } = await runKernel(sumPartials, { partials, length, accumulate }, {
        partials: parts,
        sum: accumulate ? present : length,
      }, rounding);
      const expected = sumsOf(parts, length, partials)
        .map((value, j) => value + (accumulate ? present[j]! : 0));
      assert(within(sum, expected, partials), `${partials}×${length}`);
    }
  }
  assert.throws(
    () => sumPartials.constants({ partials: 65_536, length: 2, accumulate: false }),
    /sum_partials: 65536 parts; at most 65535/,
  );
});
