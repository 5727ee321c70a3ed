import assert from "node:assert/strict";
import { fitColumns } from "../../../src/kernels/vector/fit_columns.ts";
import { columnSumChunks, columnSums } from "../../../src/kernels/reduce/column_sums.ts";
import { matmul } from "../../../src/kernels/matmul/matmul.ts";
import { sumPartials } from "../../../src/kernels/reduce/sum_partials.ts";
import { relativeError, runKernel, values } from "../harness.ts";

/** Sums of up to 100 products of values up to 1, each rounded to float32. */
const tolerance = 2e-6;

Deno.test("matmul() equals the definition for all storage orders, with bias and accumulation", async () => {
  for (const [rows, columns, inner] of [[1, 1, 1], [5, 7, 3], [64, 10, 64], [33, 18, 100]] as const) {
    for (let flags = 0; flags < 16; flags++) {
      const [transposeLeft, transposeRight, accumulate, bias] = [1, 2, 4, 8].map((flag) =>
        (flags & flag) !== 0
      );
      const shape = {
        rows,
        columns,
        inner,
        transposeLeft: transposeLeft!,
        transposeRight: transposeRight!,
        accumulate: accumulate!,
        bias: bias!,
      };
      const left = values(rows * inner, 1);
      const right = values(inner * columns, 2);
      const biases = values(columns, 3);
      const before = values(rows * columns, 4);
      const expected = Float64Array.from(before, (value, i) => {
        let sum = (accumulate ? value : 0) + (bias ? biases[i % columns]! : 0);
        const [row, column] = [Math.floor(i / columns), i % columns];
        for (let k = 0; k < inner; k++) {
          sum += left[transposeLeft ? k * rows + row : row * inner + k]! *
            right[transposeRight ? column * inner + k : k * columns + column]!;
        }
        return sum;
      });
      const operands = {
        left,
        right,
        bias: bias ? biases : 1,
        product: accumulate ? before : rows * columns,
      };
      const { product } = await runKernel(matmul, shape, operands);
      assert(relativeError(product, expected) < tolerance, JSON.stringify(shape));
    }
  }
});

Deno.test("columnSums() with sumPartials() sums columns, and more rows than one loop may have iterations", async () => {
  for (const [rows, columns] of [[1, 1], [3, 10], [257, 16], [1000, 7], [700, 44], [70_000, 3]] as const) {
    const matrix = values(rows * columns, 1);
    const expected = new Float64Array(columns);
    matrix.forEach((value, i) => expected[i % columns]! += value);
    const chunks = columnSumChunks({ rows, columns });
    const { partials } = await runKernel(columnSums, { rows, columns }, {
      matrix,
      partials: chunks * columns,
    });
    for (const accumulate of [false, true]) {
      const before = new Float32Array(columns).fill(0.5);
      const { sum } = await runKernel(sumPartials, { partials: chunks, length: columns, accumulate }, {
        partials,
        sum: accumulate ? before : columns,
      });
      const total = expected.map((value) => value + (accumulate ? 0.5 : 0));
      // The sums are random walks: their rounding errors are relative to √rows, not to the sums themselves.
      total.forEach((value, j) => assert(Math.abs(sum[j]! - value) < 1e-6 * Math.sqrt(rows)));
    }
  }
});

Deno.test("fitColumns() pads rows with zeros, or cuts them off", async () => {
  for (
    const [rows, sourceColumns, fittedColumns] of [[1, 1, 4], [77, 3, 4], [65, 8, 5], [30, 6, 6]] as const
  ) {
    const source = values(rows * sourceColumns, 1);
    const before = values(rows * fittedColumns, 2);
    for (const accumulate of [false, true]) {
      const { fitted } = await runKernel(
        fitColumns,
        { rows, sourceColumns, fittedColumns, accumulate },
        { source, fitted: accumulate ? before : before.length },
      );
      const expected = before.map((value, i) => {
        const column = i % fittedColumns;
        const fits = column < sourceColumns;
        const moved = fits ? source[Math.floor(i / fittedColumns) * sourceColumns + column]! : 0;
        return moved + (accumulate ? value : 0);
      });
      assert.deepEqual(fitted, expected);
    }
  }
});
