import { batchNormApply } from "../../kernels/batch_norm_apply.ts";
import { batchNormBackwardApply } from "../../kernels/batch_norm_backward_apply.ts";
import { batchNormBackwardMoments } from "../../kernels/batch_norm_backward_moments.ts";
import {
  batchNormBackwardSums,
  batchNormBackwardSumsParameters,
} from "../../kernels/batch_norm_backward_sums.ts";
import { batchNormChunks, batchNormMoments } from "../../kernels/batch_norm_moments.ts";
import { batchNormRunning } from "../../kernels/batch_norm_running.ts";
import { batchNormStatistics } from "../../kernels/batch_norm_statistics.ts";
import { assertShapes, type Tensor } from "../tensor.ts";

/** Which statistics normalise, and whether the running ones move. */
export interface NormMode {
  /** Those of the batch (PyTorch's train mode) or the running ones (eval mode). */
  readonly statistics: "batch" | "running";
  /** Whether the running statistics take up those of the batch. */
  readonly updateRunning: boolean;
}

/** Parameters of {@link batchNorm} beside its input. */
export interface BatchNormOptions {
  /** Scale γ and shift β, `[C]` each. */
  readonly scale: Tensor;
  readonly shift: Tensor;
  /** Running mean and variance, `[2, C]`; the variance is the unbiased one, as in PyTorch. */
  readonly running: Tensor;
  readonly mode: NormMode;
  readonly epsilon: number;
  /** PyTorch's convention: running ← (1 − momentum)·running + momentum·batch. */
  readonly momentum: number;
  /** Slope of a LeakyReLU applied to the result; 1 for none. */
  readonly slope: number;
}

/**
 * Batch normalisation over all but the last dimension, followed by a LeakyReLU in the same pass over memory.
 * @param x `[..., C]`
 * @throws {ShapeError} if the shapes do not fit together.
 */
export function batchNorm(x: Tensor, options: BatchNormOptions): Tensor {
  const { context } = x;
  const { scale, shift, running, mode, slope } = options;
  const channels = scale.size;
  assertShapes(
    x.shape.at(-1) === channels && shift.size === channels && running.size === 2 * channels,
    "batch norm takes inputs [..., C], scale and shift [C] and running statistics [2, C]",
    x,
    scale,
    shift,
    running,
  );
  const rows = x.size / channels;
  using statistics = normalisingStatistics(x, rows, channels, options);
  const output = context.empty(x.shape);
  context.launch(batchNormApply, { rows, channels, slope }, { input: x, statistics, scale, shift, output });

  const tape = context.tape;
  tape?.record([x, scale, shift], output, [x, statistics], (outputGradient) => {
    const forward = { input: x, statistics, scale, shift, outputGradient };
    using partials = context.empty([batchNormChunks({ rows, channels }), 2, channels]);
    context.launch(batchNormBackwardMoments, { rows, channels, slope }, { ...forward, partials });
    using shiftSum = context.empty([channels]);
    using scaleSum = context.empty([channels]);
    const sums = { partials, shiftSum, scaleSum };
    const byScale = tape.target(scale);
    const byShift = tape.target(shift);
    if (byScale && byShift) {
      context.launch(batchNormBackwardSumsParameters, { rows, channels }, {
        ...sums,
        scaleGradient: byScale.gradient,
        shiftGradient: byShift.gradient,
      });
    } else {
      context.launch(batchNormBackwardSums, { rows, channels }, sums);
    }
    const byInput = tape.target(x);
    if (!byInput) return;
    const batchStatistics = mode.statistics === "batch";
    const { gradient: inputGradient, accumulate } = byInput;
    context.launch(batchNormBackwardApply, { rows, channels, slope, batchStatistics, accumulate }, {
      ...forward,
      shiftSum,
      scaleSum,
      inputGradient,
    });
  });
  return output;
}

/** Mean and inverse standard deviation `[2, C]` that normalise, from the batch or from the running statistics. */
function normalisingStatistics(
  input: Tensor,
  rows: number,
  channels: number,
  { running, mode, epsilon, momentum }: BatchNormOptions,
): Tensor {
  const { context } = input;
  const statistics = context.empty([2, channels]);
  if (mode.statistics === "running") {
    context.launch(batchNormRunning, { channels, epsilon }, { running, statistics });
    return statistics;
  }
  using partials = context.empty([batchNormChunks({ rows, channels }), 2, channels]);
  context.launch(batchNormMoments, { rows, channels }, { input, partials });
  context.launch(
    batchNormStatistics,
    { rows, channels, epsilon, momentum, updateRunning: mode.updateRunning },
    { partials, running, statistics },
  );
  return statistics;
}
