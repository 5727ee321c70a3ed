import { normRunning } from "../../kernels/norm/running.ts";
import { normStatistics, normStatisticsAndRunning } from "../../kernels/norm/statistics.ts";
import type { NormShape } from "../../kernels/norm/moments.ts";
import { assertShapes, type Tensor } from "../tensor.ts";
import { addGroupSums, assertAffine, chunkMoments, normalise, normShape } from "./normalise.ts";

/** Which statistics normalise, and whether the running ones move. */
export interface NormMode {
  /** Those of the batch (PyTorch's train mode) or the running ones (eval mode). */
  readonly statistics: "batch" | "running";
  /** Whether the running statistics take up those of the batch. */
  readonly updateRunning: boolean;
  /**
   * Batches of equal size that the input consists of, one after the other; 1 unless said otherwise. Each has batch
   * statistics of its own, and the running ones take them up in this order.
   */
  readonly segments?: number;
  /** Whether act norm's parameters are set from the batch before they are used. */
  readonly initialise?: true;
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
 * Batch normalisation over all but the last dimension (and over the images of one segment, if there are several),
 * followed by a LeakyReLU in the same pass over memory.
 * @param x `[..., C]`
 * @throws {ShapeError} if the shapes do not fit together.
 */
export function batchNorm(x: Tensor, options: BatchNormOptions): Tensor {
  const { scale, shift, running, mode, slope } = options;
  assertAffine(x, scale, shift);
  assertShapes(running.size === 2 * scale.size, "batch norm takes running statistics [2, C]", x, running);
  const { segments = 1 } = mode;
  assertShapes(x.shape[0]! % segments === 0, `batch norm takes ${segments} batches of equal size`, x);
  const shape = normShape(x, mode.statistics === "batch" ? segments : 1);
  using statistics = normalisingStatistics(x, shape, options);
  return normalise(x, {
    shape,
    statistics,
    source: mode.statistics === "batch" ? "channels" : "given",
    scale,
    shift,
    slope,
    parameters: [scale, shift],
    addParameterGradients(tape, { shiftSum, scaleSum }) {
      addGroupSums(tape, shift, shiftSum);
      addGroupSums(tape, scale, scaleSum);
    },
  });
}

/** Mean and inverse standard deviation `[groups, 2, C]` that normalise, from the batch or from the running statistics. */
function normalisingStatistics(
  input: Tensor,
  shape: NormShape,
  { running, mode, epsilon, momentum }: BatchNormOptions,
): Tensor {
  const { context } = input;
  const { groups, channels } = shape;
  const statistics = context.empty([groups, 2, channels]);
  if (mode.statistics === "running") {
    context.launch(normRunning, { channels, epsilon }, { running, statistics });
    return statistics;
  }
  using partials = chunkMoments(input, shape);
  if (mode.updateRunning) {
    const operands = { partials, statistics, running };
    context.launch(normStatisticsAndRunning, { ...shape, epsilon, momentum }, operands);
  } else {
    context.launch(normStatistics, { ...shape, epsilon }, { partials, statistics });
  }
  return statistics;
}
