import assert from "node:assert/strict";
import { batchNormApply } from "../../src/kernels/batch_norm_apply.ts";
import { batchNormBackwardApply } from "../../src/kernels/batch_norm_backward_apply.ts";
import { batchNormBackwardMoments } from "../../src/kernels/batch_norm_backward_moments.ts";
import {
  batchNormBackwardSums,
  batchNormBackwardSumsParameters,
} from "../../src/kernels/batch_norm_backward_sums.ts";
import { batchNormChunks, batchNormMoments } from "../../src/kernels/batch_norm_moments.ts";
import { batchNormRunning } from "../../src/kernels/batch_norm_running.ts";
import { batchNormStatistics } from "../../src/kernels/batch_norm_statistics.ts";
import { relativeError, runKernel, values } from "./harness.ts";

const epsilon = 1e-5;

/** Rows around the chunks' size, and more in all than one loop may have iterations. */
const shapes = [[2, 4], [5, 12], [63, 20], [65, 4], [257, 16], [70_000, 4]].map(([rows, channels]) => ({
  rows: rows!,
  channels: channels!,
}));

function moments(input: Float32Array, { rows, channels }: { rows: number; channels: number }) {
  const mean = new Float64Array(channels);
  const squares = new Float64Array(channels);
  input.forEach((value, i) => mean[i % channels]! += value / rows);
  input.forEach((value, i) => squares[i % channels]! += (value - mean[i % channels]!) ** 2);
  return { mean, squares };
}

async function statisticsOf(
  input: Float32Array,
  shape: { rows: number; channels: number },
  running: Float32Array,
  updateRunning: boolean,
) {
  const length = batchNormChunks(shape) * 2 * shape.channels;
  const { partials } = await runKernel(batchNormMoments, shape, { input, partials: length });
  return await runKernel(batchNormStatistics, { ...shape, epsilon, momentum: 0.9, updateRunning }, {
    partials,
    running,
    statistics: 2 * shape.channels,
  });
}

for (const shape of shapes) {
  const { rows, channels } = shape;
  const size = rows * channels;

  Deno.test(`batch norm statistics of ${rows}×${channels} equal the definition, also far from zero`, async () => {
    for (const [low, high] of [[-1, 1], [99.9, 100.1]] as const) {
      const input = values(size, 1, low, high);
      const running = values(2 * channels, 2, 0.5, 2);
      const { mean, squares } = moments(input, shape);
      const result = await statisticsOf(input, shape, running, true);
      const inverse = squares.map((value) => 1 / Math.sqrt(value / rows + epsilon));
      // Means are good to two units in the last place of the values. The variance adds up squared differences between the
      // means of chunks, 0.02 apart at most; at 100 these are rounded by 4e-6, which is 2e-5 of the variance of 0.0033.
      const largest = Math.max(Math.abs(low), high);
      const tolerance = { mean: 2.4e-7 * largest, variance: largest > 1 ? 4e-5 : 2e-6 };
      const close = (actual: Float32Array, expected: Float64Array, error: number) =>
        actual.every((value, c) => Math.abs(value - expected[c]!) <= error);
      assert(close(result.statistics.subarray(0, channels), mean, tolerance.mean));
      assert(relativeError(result.statistics.subarray(channels), inverse) < tolerance.variance);
      const runningMean = mean.map((value, c) => 0.1 * running[c]! + 0.9 * value);
      const runningVariance = squares.map((value, c) =>
        0.1 * running[channels + c]! + 0.9 * value / (rows - 1)
      );
      assert(close(result.running.subarray(0, channels), runningMean, 2 * tolerance.mean + 2e-7));
      assert(relativeError(result.running.subarray(channels), runningVariance) < tolerance.variance);
      const frozen = await statisticsOf(input, shape, running, false);
      assert.deepEqual(frozen.running, running);
      assert.deepEqual(frozen.statistics, result.statistics, "the same input gives the same bits");
    }
  });

  Deno.test(`batch norm of ${rows}×${channels} and its gradients equal the definition`, async () => {
    const input = values(size, 1);
    const outputGradient = values(size, 2);
    const scale = values(channels, 3, 0.5, 1.5);
    const shift = values(channels, 4);
    const { mean, squares } = moments(input, shape);
    const inverse = squares.map((value) => 1 / Math.sqrt(value / rows + epsilon));
    const statistics = Float32Array.from([...mean, ...inverse]);
    const normal = Float64Array.from(
      input,
      (value, i) => (value - mean[i % channels]!) * inverse[i % channels]!,
    );
    const affine = normal.map((value, i) => value * scale[i % channels]! + shift[i % channels]!);
    for (const slope of [1, 0.2]) {
      const operands = { input, statistics, scale, shift };
      const { output } = await runKernel(batchNormApply, { ...shape, slope }, { ...operands, output: size });
      assert(relativeError(output, affine.map((value) => value > 0 ? value : slope * value)) < 1e-6);

      const g = affine.map((value, i) => outputGradient[i]! * (value > 0 ? 1 : slope));
      const sums = { shift: new Float64Array(channels), scale: new Float64Array(channels) };
      g.forEach((value, i) => {
        sums.shift[i % channels]! += value;
        sums.scale[i % channels]! += value * normal[i]!;
      });
      const length = batchNormChunks(shape) * 2 * channels;
      const { partials } = await runKernel(batchNormBackwardMoments, { ...shape, slope }, {
        ...operands,
        outputGradient,
        partials: length,
      });
      const plain = await runKernel(batchNormBackwardSums, shape, {
        partials,
        shiftSum: channels,
        scaleSum: channels,
      });
      const before = new Float32Array(channels).fill(0.5);
      const added = await runKernel(batchNormBackwardSumsParameters, shape, {
        partials,
        shiftSum: channels,
        scaleSum: channels,
        shiftGradient: before,
        scaleGradient: before,
      });
      assert.deepEqual([added.shiftSum, added.scaleSum], [plain.shiftSum, plain.scaleSum]);
      // Random walks of `rows` steps: their rounding errors go with √rows, not with the sums.
      const tolerance = 2e-6 * Math.sqrt(rows);
      for (let c = 0; c < channels; c++) {
        assert(Math.abs(plain.shiftSum[c]! - sums.shift[c]!) < tolerance);
        assert(Math.abs(plain.scaleSum[c]! - sums.scale[c]!) < tolerance);
        assert(Math.abs(added.shiftGradient[c]! - sums.shift[c]! - 0.5) < tolerance);
        assert(Math.abs(added.scaleGradient[c]! - sums.scale[c]! - 0.5) < tolerance);
      }

      for (const batchStatistics of [true, false]) {
        for (const accumulate of [false, true]) {
          const present = values(size, 5);
          const { inputGradient } = await runKernel(
            batchNormBackwardApply,
            { ...shape, slope, batchStatistics, accumulate },
            {
              ...operands,
              outputGradient,
              shiftSum: plain.shiftSum,
              scaleSum: plain.scaleSum,
              inputGradient: accumulate ? present : size,
            },
          );
          const expected = g.map((value, i) => {
            const c = i % channels;
            const centred = batchStatistics
              ? value - (sums.shift[c]! + normal[i]! * sums.scale[c]!) / rows
              : value;
            return (accumulate ? present[i]! : 0) + scale[c]! * inverse[c]! * centred;
          });
          assert(relativeError(inputGradient, expected) < 3e-6);
        }
      }
    }
  });
}

Deno.test("batchNormRunning() turns running variances into inverse deviations", async () => {
  const running = values(2 * 12, 1, 0.1, 2);
  const { statistics } = await runKernel(batchNormRunning, { channels: 12, epsilon }, {
    running,
    statistics: 24,
  });
  const expected = running.map((value, i) => i < 12 ? value : 1 / Math.sqrt(value + epsilon));
  assert(relativeError(statistics, expected) < 5e-7);
});

Deno.test("batchNormStatistics() refuses to track one value per channel, as PyTorch does", () => {
  const shape = { rows: 1, channels: 4, epsilon, momentum: 0.9 };
  assert.throws(() => batchNormStatistics.constants({ ...shape, updateRunning: true }), RangeError);
  batchNormStatistics.constants({ ...shape, updateRunning: false });
});
