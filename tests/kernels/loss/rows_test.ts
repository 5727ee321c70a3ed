import assert from "node:assert/strict";
import { logSumExp, logSumExpBackward } from "../../../src/kernels/loss/log_sum_exp.ts";
import { selectColumn, selectColumnBackward } from "../../../src/kernels/loss/select_column.ts";
import {
  softmaxCrossEntropy,
  softmaxCrossEntropyBackward,
} from "../../../src/kernels/loss/softmax_cross_entropy.ts";
import { relativeError, runKernel, values } from "../harness.ts";

const shapes = [[1, 1], [7, 2], [65, 10], [3, 100]].map(([rows, columns]) => ({
  rows: rows!,
  columns: columns!,
}));
/** exp and log of float32 are accurate to about 1e-6 on the adapters at hand. Sums of 100 terms add the same again. */
const tolerance = 5e-6;

const softmaxOf = (row: Float32Array) => {
  const largest = Math.max(...row);
  const exponentials = Array.from(row, (value) => Math.exp(value - largest));
  const sum = exponentials.reduce((total, value) => total + value, 0);
  return { logSum: largest + Math.log(sum), probabilities: exponentials.map((value) => value / sum) };
};

for (const shape of shapes) {
  const { rows, columns } = shape;
  const size = rows * columns;
  const labels = Uint32Array.from({ length: rows }, (_, r) => r * 3 % columns);
  const rowGradient = values(rows, 2);
  const before = values(size, 3);
  const logits = values(size, 1, -5, 5);
  const softmaxes = Array.from(
    { length: rows },
    (_, r) => softmaxOf(logits.subarray(r * columns, (r + 1) * columns)),
  );

  /** Expected gradients with respect to the logits, from each function's derivative. */
  const gradients = (accumulate: boolean, derivative: (row: number, column: number) => number) =>
    Float64Array.from(before, (value, i) => {
      const r = Math.floor(i / columns);
      return (accumulate ? value : 0) + rowGradient[r]! * derivative(r, i % columns);
    });

  Deno.test(`logSumExp() and softmaxCrossEntropy() of ${rows}×${columns} equal the definition`, async () => {
    const { values: sums } = await runKernel(logSumExp, shape, { logits, values: rows });
    sums.forEach((value, r) => assert(Math.abs(value - softmaxes[r]!.logSum) < tolerance));
    const { losses, correct } = await runKernel(softmaxCrossEntropy, shape, {
      logits,
      labels,
      losses: rows,
      correct: rows,
    });
    losses.forEach((loss, r) => {
      assert(Math.abs(loss - (softmaxes[r]!.logSum - logits[r * columns + labels[r]!]!)) < 2 * tolerance);
      const row = logits.subarray(r * columns, (r + 1) * columns);
      assert.equal(correct[r], row.indexOf(Math.max(...row)) === labels[r] ? 1 : 0);
    });
  });

  Deno.test(`gradients of row operations on ${rows}×${columns} equal the definition`, async () => {
    const { values: sums } = await runKernel(logSumExp, shape, { logits, values: rows });
    for (const accumulate of [false, true]) {
      const target = { logitsGradient: accumulate ? before : size };
      const flagged = { ...shape, accumulate };
      const byLogSum = await runKernel(logSumExpBackward, flagged, {
        logits,
        values: sums,
        valueGradient: rowGradient,
        ...target,
      });
      const probability = (r: number, c: number) => softmaxes[r]!.probabilities[c]!;
      const hot = (r: number, c: number) => labels[r] === c ? 1 : 0;
      assert(relativeError(byLogSum.logitsGradient, gradients(accumulate, probability)) < 2 * tolerance);
      const byLoss = await runKernel(softmaxCrossEntropyBackward, flagged, {
        logits,
        labels,
        lossGradient: rowGradient,
        ...target,
      });
      const expected = gradients(accumulate, (r, c) => probability(r, c) - hot(r, c));
      assert(byLoss.logitsGradient.every((value, i) => Math.abs(value - expected[i]!) < tolerance));
      const bySelection = await runKernel(selectColumnBackward, flagged, {
        labels,
        valueGradient: rowGradient,
        ...target,
      });
      assert(relativeError(bySelection.logitsGradient, gradients(accumulate, hot)) < 2e-7);
    }
    const { values: selected } = await runKernel(selectColumn, shape, { labels, logits, values: rows });
    selected.forEach((value, r) => assert.equal(value, logits[r * columns + labels[r]!]));
  });
}

Deno.test("logSumExp() and softmaxCrossEntropy() do not overflow", async () => {
  const logits = Float32Array.of(1e4, -1e4, 9999, -1e4, -1e4, -1e4);
  const shape = { rows: 2, columns: 3 };
  const { values: sums } = await runKernel(logSumExp, shape, { logits, values: 2 });
  assert(Math.abs(sums[0]! - (1e4 + Math.log1p(Math.exp(-1)))) < 2e-3);
  assert(Math.abs(sums[1]! - (-1e4 + Math.log(3))) < 2e-3);
  const labels = Uint32Array.of(1, 0);
  const { losses } = await runKernel(softmaxCrossEntropy, shape, { logits, labels, losses: 2, correct: 2 });
  assert(Math.abs(losses[0]! - 20000.3) < 0.1);
});

Deno.test("softmaxCrossEntropy() prefers the first of equal logits, and gives NaN for an impossible label", async () => {
  const logits = Float32Array.of(1, 1, 0, 1, 1, 0, 0, 0, 0);
  const labels = Uint32Array.of(0, 1, 3);
  const shape = { rows: 3, columns: 3 };
  const { losses, correct } = await runKernel(softmaxCrossEntropy, shape, {
    logits,
    labels,
    losses: 3,
    correct: 3,
  });
  assert.deepEqual([...correct], [1, 0, 0]);
  assert(Number.isFinite(losses[0]!) && Number.isFinite(losses[1]!) && Number.isNaN(losses[2]!));
});
