import assert from "node:assert/strict";
import { add } from "../../../src/kernels/vector/add.ts";
import { addInto } from "../../../src/kernels/vector/add_into.ts";
import { broadcast } from "../../../src/kernels/vector/broadcast.ts";
import { dropout } from "../../../src/kernels/vector/dropout.ts";
import { fitColumns } from "../../../src/kernels/vector/fit_columns.ts";
import { leakyRelu, leakyReluBackward } from "../../../src/kernels/vector/leaky_relu.ts";
import { multiply, multiplyInto } from "../../../src/kernels/vector/multiply.ts";
import { relativeError, runKernel, values } from "../harness.ts";

/** Lengths that are not multiples of vectors or workgroups. */
const lengths = [1, 3, 257, 1001];
/** One or two roundings. */
const tolerance = 2e-7;

Deno.test("add(), addInto(), multiply() and multiplyInto() compute element by element", async () => {
  for (const length of lengths) {
    const [first, second, target] = [values(length, 1), values(length, 2), values(length, 3)];
    const { sum } = await runKernel(add, { length, factor: -2.5 }, { first, second, sum: length });
    assert(relativeError(sum, first.map((value, i) => value - 2.5 * second[i]!)) < tolerance);
    const added = await runKernel(addInto, { length, factor: 0.5 }, { source: first, target });
    assert(relativeError(added.target, target.map((value, i) => value + 0.5 * first[i]!)) < tolerance);
    const { product } = await runKernel(multiply, { length }, { first, second, product: length });
    assert.deepEqual(product, first.map((value, i) => value * second[i]!));
    const multiplied = await runKernel(multiplyInto, { length, factor: 3 }, { first, second, target });
    const expected = target.map((value, i) => value + 3 * first[i]! * second[i]!);
    assert(relativeError(multiplied.target, expected) < tolerance);
  }
});

Deno.test("leakyRelu() and its gradient have slope 0.2 at and below zero", async () => {
  for (const length of lengths) {
    const input = values(length, 1);
    input[0] = 0;
    const outputGradient = values(length, 2);
    const { output } = await runKernel(leakyRelu, { length, slope: 0.2 }, { input, output: length });
    assert(relativeError(output, input.map((value) => value > 0 ? value : 0.2 * value)) < tolerance);
    for (const accumulate of [false, true]) {
      const before = values(length, 3);
      const { inputGradient } = await runKernel(leakyReluBackward, { length, slope: 0.2, accumulate }, {
        input,
        outputGradient,
        inputGradient: accumulate ? before : length,
      });
      const expected = outputGradient.map((value, i) =>
        (accumulate ? before[i]! : 0) + value * (input[i]! > 0 ? 1 : 0.2)
      );
      assert(relativeError(inputGradient, expected) < tolerance);
    }
  }
});

Deno.test("broadcast() writes or adds a scaled scalar", async () => {
  for (const length of lengths) {
    const scalar = Float32Array.of(0.75);
    const written = await runKernel(broadcast, { length, factor: 2, accumulate: false }, {
      scalar,
      target: length,
    });
    assert(written.target.every((value) => value === 1.5));
    const before = values(length, 1);
    const added = await runKernel(broadcast, { length, factor: 2, accumulate: true }, {
      scalar,
      target: before,
    });
    assert.deepEqual(added.target, before.map((value) => value + 1.5));
  }
});

Deno.test("dropout() keeps what its uniform numbers allow, written or added", async () => {
  const length = 1003;
  const [input, uniforms, present] = [values(length, 1), values(length, 2, 0, 1), values(length, 3)];
  for (const accumulate of [false, true]) {
    const { output } = await runKernel(dropout, { length, rate: 0.3, accumulate }, {
      input,
      uniforms,
      output: accumulate ? present : length,
    });
    const expected = input.map((value, i) =>
      (accumulate ? present[i]! : 0) + (uniforms[i]! >= Math.fround(0.3) ? value / 0.7 : 0)
    );
    assert(relativeError(output, expected) < 5e-7);
  }
  assert.throws(() => dropout.constants({ length, rate: 1, accumulate: false }), RangeError);
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
