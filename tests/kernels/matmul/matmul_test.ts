import assert from "node:assert/strict";
import { matmul } from "../../../src/kernels/matmul/matmul.ts";
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
