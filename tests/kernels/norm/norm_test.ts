import assert from "node:assert/strict";
import { actNormStatistics } from "../../../src/kernels/norm/act_statistics.ts";
import { layerNormStatistics } from "../../../src/kernels/norm/layer_statistics.ts";
import { layerNormSums } from "../../../src/kernels/norm/layer_sums.ts";
import { normApply } from "../../../src/kernels/norm/apply.ts";
import { normBackwardApply } from "../../../src/kernels/norm/backward_apply.ts";
import { normBackwardMoments } from "../../../src/kernels/norm/backward_moments.ts";
import { normBackwardSums } from "../../../src/kernels/norm/backward_sums.ts";
import {
  normChunks,
  normMoments,
  normRowsPerChunk,
  type NormShape,
} from "../../../src/kernels/norm/moments.ts";
import { normRunning } from "../../../src/kernels/norm/running.ts";
import {
  actNormInitialise,
  normStatistics,
  normStatisticsAndRunning,
} from "../../../src/kernels/norm/statistics.ts";
import { relativeError, runKernel, values } from "../harness.ts";

const epsilon = 1e-5;
const momentum = 0.9;

/**
 * Numbers of rows around the chunks' size, and more rows than one loop may have iterations. One group, and several.
 * More channels than a workgroup takes.
 */
const shapes: NormShape[] = [
  [1, 2, 4],
  [1, 5, 12],
  [1, 63, 20],
  [1, 65, 4],
  [1, 257, 16],
  [1, 70_000, 4],
  [3, 4, 8],
  [5, 66, 12],
  [2, 300, 4],
  [2, 700, 44],
].map(([groups, rows, channels]) => ({ groups: groups!, rows: rows!, channels: channels! }));

/** Group and channel of an element. */
function placeOf(i: number, { rows, channels }: NormShape): number {
  return Math.floor(i / (rows * channels)) * channels + i % channels;
}

/** Mean and Σ (x − mean)² of each group's channels. */
function moments(input: Float32Array, shape: NormShape) {
  const mean = new Float64Array(shape.groups * shape.channels);
  const squares = new Float64Array(mean.length);
  input.forEach((value, i) => mean[placeOf(i, shape)]! += value / shape.rows);
  input.forEach((value, i) => squares[placeOf(i, shape)]! += (value - mean[placeOf(i, shape)]!) ** 2);
  return { mean, squares };
}

/** Two arrays `[groups, C]` as one `[groups, 2, C]`. */
function interleave(first: ArrayLike<number>, second: ArrayLike<number>, { groups, channels }: NormShape) {
  return Float32Array.from({ length: 2 * groups * channels }, (_, i) => {
    const at = Math.floor(i / (2 * channels)) * channels + i % channels;
    return (Math.floor(i / channels) % 2 === 0 ? first : second)[at]!;
  });
}

async function partialsOf(input: Float32Array, shape: NormShape): Promise<Float32Array> {
  const length = normChunks(shape) * 2 * shape.channels;
  const rounding = normRowsPerChunk(shape) * 2 ** -24;
  return (await runKernel(normMoments, shape, { input, partials: length }, rounding)).partials;
}

function within(actual: Float32Array, expected: ArrayLike<number>, error: number): boolean {
  return actual.length === expected.length &&
    actual.every((value, i) => Math.abs(value - expected[i]!) <= error);
}

for (const shape of shapes) {
  const { groups, rows, channels } = shape;
  const size = groups * rows * channels;
  const statisticsLength = 2 * groups * channels;
  const title = `${groups}×${rows}×${channels}`;

  Deno.test(`statistics of ${title} equal the definition, also far from zero`, async () => {
    for (const [low, high] of [[-1, 1], [99.9, 100.1]] as const) {
      const input = values(size, 1, low, high);
      const { mean, squares } = moments(input, shape);
      const inverse = squares.map((value) => 1 / Math.sqrt(value / rows + epsilon));
      const partials = await partialsOf(input, shape);
      const kernelShape = { ...shape, epsilon, momentum };
      // Means are accurate to two units in the last place of the values. The variance adds up squared differences
      // between the means of chunks, which are at most 0.02 apart. At 100 these are rounded by 4e-6, which is 2e-5 of
      // the variance of 0.0033.
      const largest = Math.max(Math.abs(low), high);
      const tolerance = { mean: 2.4e-7 * largest, variance: largest > 1 ? 4e-5 : 2e-6 };
      const { statistics } = await runKernel(
        normStatistics,
        kernelShape,
        { partials, statistics: statisticsLength },
        tolerance.variance,
      );
      const expected = interleave(mean, inverse, shape);
      const isMean = (i: number) => Math.floor(i / channels) % 2 === 0;
      assert(
        within(statistics.filter((_, i) => isMean(i)), expected.filter((_, i) => isMean(i)), tolerance.mean),
      );
      const deviations = [statistics, expected].map((all) => all.filter((_, i) => !isMean(i)));
      assert(relativeError(deviations[0]!, deviations[1]!) < tolerance.variance);

      const running = values(2 * channels, 2, 0.5, 2);
      const moved = await runKernel(
        normStatisticsAndRunning,
        kernelShape,
        { partials, statistics: statisticsLength, running },
        tolerance.variance,
      );
      assert.deepEqual(moved.statistics, statistics, "the same input gives the same bits");
      const [runningMean, variance] = [running.slice(0, channels), running.slice(channels)].map(
        (start) => Float64Array.from(start),
      );
      mean.forEach((value, i) => {
        const c = i % channels;
        runningMean![c] = 0.1 * runningMean![c]! + 0.9 * value;
        variance![c] = 0.1 * variance![c]! + 0.9 * squares[i]! / (rows - 1);
      });
      assert(within(moved.running.subarray(0, channels), runningMean!, 2 * tolerance.mean + 2e-7));
      assert(relativeError(moved.running.subarray(channels), variance!) < tolerance.variance);
      if (groups > 1) continue;

      const act = await runKernel(
        actNormInitialise,
        { ...shape, epsilon: 1e-6 },
        { partials, location: channels, scale: channels },
        tolerance.variance,
      );
      assert(within(act.location, mean.map((value) => -value), tolerance.mean));
      const scale = squares.map((value) => 1 / (Math.sqrt(value / (rows - 1)) + 1e-6));
      assert(relativeError(act.scale, scale) < tolerance.variance);
    }
  });

  Deno.test(`layer statistics of ${title} are those of all channels together`, async () => {
    const input = values(size, 1).map((value, i) => value + i % channels);
    const { statistics } = await runKernel(layerNormStatistics, { ...shape, epsilon }, {
      partials: await partialsOf(input, shape),
      statistics: statisticsLength,
    });
    const flat = moments(input, { groups, rows: rows * channels, channels: 1 });
    const repeat = (per: Float64Array) =>
      Float64Array.from({ length: groups * channels }, (_, i) => per[Math.floor(i / channels)]!);
    const inverse = flat.squares.map((value) => 1 / Math.sqrt(value / (rows * channels) + epsilon));
    assert(relativeError(statistics, interleave(repeat(flat.mean), repeat(inverse), shape)) < 2e-6);
  });

  Deno.test(`normalisation of ${title} and its gradients equal the definition`, async () => {
    const input = values(size, 1);
    const outputGradient = values(size, 2);
    const scale = values(channels, 3, 0.5, 1.5);
    const shift = values(channels, 4);
    const { mean, squares } = moments(input, shape);
    const inverse = squares.map((value) => 1 / Math.sqrt(value / rows + epsilon));
    const statistics = interleave(mean, inverse, shape);
    const normal = Float64Array.from(input, (value, i) => {
      const place = placeOf(i, shape);
      return (value - mean[place]!) * inverse[place]!;
    });
    const affine = normal.map((value, i) => value * scale[i % channels]! + shift[i % channels]!);
    for (const slope of [1, 0.2]) {
      const operands = { input, statistics, scale, shift };
      const { output } = await runKernel(normApply, { ...shape, slope }, { ...operands, output: size });
      assert(relativeError(output, affine.map((value) => value > 0 ? value : slope * value)) < 1e-6);

      const g = affine.map((value, i) => outputGradient[i]! * (value > 0 ? 1 : slope));
      const shiftSums = new Float64Array(groups * channels);
      const scaleSums = new Float64Array(groups * channels);
      g.forEach((value, i) => {
        shiftSums[placeOf(i, shape)]! += value;
        scaleSums[placeOf(i, shape)]! += value * normal[i]!;
      });
      const { partials } = await runKernel(normBackwardMoments, { ...shape, slope }, {
        ...operands,
        outputGradient,
        partials: normChunks(shape) * 2 * channels,
      });
      const { shiftSum, scaleSum } = await runKernel(normBackwardSums, shape, {
        partials,
        shiftSum: groups * channels,
        scaleSum: groups * channels,
      });
      // The sums are random walks of `rows` steps, so their rounding errors grow with √rows, not with the sums.
      const tolerance = 2e-6 * Math.sqrt(rows);
      assert(within(shiftSum, shiftSums, tolerance) && within(scaleSum, scaleSums, tolerance));

      for (const [ownStatistics, scaledSums] of [[true, false], [true, true], [false, false]] as const) {
        for (const accumulate of [false, true]) {
          const present = values(size, 5);
          const { inputGradient } = await runKernel(
            normBackwardApply,
            { ...shape, slope, ownStatistics, scaledSums, accumulate },
            { ...operands, outputGradient, shiftSum, scaleSum, inputGradient: accumulate ? present : size },
          );
          const expected = g.map((value, i) => {
            const [place, c] = [placeOf(i, shape), i % channels];
            const through = (shiftSums[place]! + normal[i]! * scaleSums[place]!) / rows;
            const centred = scale[c]! * value - (ownStatistics ? (scaledSums ? 1 : scale[c]!) * through : 0);
            return (accumulate ? present[i]! : 0) + inverse[place]! * centred;
          });
          assert(relativeError(inputGradient, expected) < 3e-6);
        }
      }
    }
  });
}

for (const channels of [12, 200]) {
  Deno.test(`layerNormSums() averages the scaled sums over a group's ${channels} channels`, async () => {
    const shape = { groups: 9, rows: 1, channels };
    const [scale, shiftSum, scaleSum] = [
      values(channels, 1),
      values(9 * channels, 2),
      values(9 * channels, 3),
    ];
    const result = await runKernel(layerNormSums, shape, {
      scale,
      shiftSum,
      scaleSum,
      spreadShift: 9 * channels,
      spreadScale: 9 * channels,
    });
    for (const [spread, sums] of [[result.spreadShift, shiftSum], [result.spreadScale, scaleSum]] as const) {
      const expected = sums.map((_, i) => {
        const first = i - i % channels;
        return scale.reduce((sum, factor, c) => sum + factor * sums[first + c]!, 0) / channels;
      });
      assert(relativeError(spread, expected) < 1e-6);
    }
  });
}

Deno.test("actNormStatistics() shifts by the location and leaves the deviation alone", async () => {
  const location = values(20, 1);
  const { statistics } = await runKernel(actNormStatistics, { channels: 20 }, { location, statistics: 40 });
  assert.deepEqual(statistics, Float32Array.from([...location.map((value) => -value), ...Array(20).fill(1)]));
});

Deno.test("normRunning() turns running variances into inverse deviations", async () => {
  const running = values(2 * 12, 1, 0.1, 2);
  const { statistics } = await runKernel(normRunning, { channels: 12, epsilon }, { running, statistics: 24 });
  const expected = running.map((value, i) => i < 12 ? value : 1 / Math.sqrt(value + epsilon));
  assert(relativeError(statistics, expected) < 5e-7);
});

Deno.test("unbiased variances refuse one value per channel, as PyTorch does, and act norm several groups", () => {
  const shape = { channels: 4, epsilon, momentum };
  for (const kernel of [normStatisticsAndRunning, actNormInitialise]) {
    assert.throws(() => kernel.constants({ ...shape, groups: 1, rows: 1 }), RangeError);
  }
  assert.throws(() => actNormInitialise.constants({ ...shape, groups: 2, rows: 8 }), RangeError);
  normStatistics.constants({ ...shape, groups: 1, rows: 1 });
});
