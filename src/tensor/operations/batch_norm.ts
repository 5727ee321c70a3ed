import { normRunning } from "../../kernels/norm/running.ts";
import { normStatistics, normStatisticsAndRunning } from "../../kernels/norm/statistics.ts";
import type { NormShape } from "../../kernels/norm/moments.ts";
import { assertShapes, type Tensor } from "../tensor.ts";
import {
  addGroupSums,
  assertAffine,
  chunkMoments,
  normalise,
  normShape,
  type NormSums,
} from "./normalise.ts";

/** Which statistics normalise, and whether the running statistics are updated. */
export interface NormMode {
  /**
   * Statistics of the batch (PyTorch's train mode), running ones (eval mode), or those of another batch: {@link
   * references}.
   */
  readonly statistics: "batch" | "running" | "reference";
  /** Whether the batch updates the running statistics. */
  readonly updateRunning: boolean;
  /**
   * Number of batches of equal size in the input, one after the other; 1 by default. Each has its own batch statistics,
   * and they update the running statistics in this order.
   */
  readonly segments?: number;
  /**
   * With the batch's statistics, each layer leaves here what it sees of the batch; with a reference's, it takes it from
   * here.
   */
  readonly references?: NormReferences;
  /** Whether act norm's parameters are set from the batch before their first use. */
  readonly initialise?: true;
}

/** What a layer of batch norm sees of a batch. An image that is normalised by it does not depend on other images. */
export interface NormReference {
  /** Mean and inverse standard deviation, `[1, 2, C]`. */
  readonly statistics: Tensor;
  /** Σ g and Σ g·normal over the rows of the batch, `[1, C]` each, for the gradient with respect to the input. */
  readonly sums: NormSums;
  /** Number of images in the batch. */
  readonly images: number;
}

/** {@link NormReference} of every layer, by its place in the running statistics. */
export interface NormReferences {
  of(offset: number, channels: number): NormReference;
}

/** Parameters of {@link batchNorm} beside its input. */
export interface BatchNormOptions {
  /** Scale γ and shift β, `[C]` each. */
  readonly scale: Tensor;
  readonly shift: Tensor;
  /** Running mean and variance, `[2, C]`; the variance is the unbiased one, as in PyTorch. */
  readonly running: Tensor;
  readonly mode: NormMode;
  /** This layer's reference, if the mode has {@link NormMode.references}. */
  readonly reference?: NormReference | undefined;
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
  const { scale, shift, running, mode, slope, reference } = options;
  assertAffine(x, scale, shift);
  assertShapes(running.size === 2 * scale.size, "batch norm takes running statistics [2, C]", x, running);
  const { segments = 1 } = mode;
  assertShapes(x.shape[0]! % segments === 0, `batch norm takes ${segments} batches of equal size`, x);
  const shape = normShape(x, mode.statistics === "batch" ? segments : 1);
  using statistics = normalisingStatistics(x, shape, options);
  const isReference = mode.statistics === "reference";
  if (reference && !isReference) reference.statistics.copyFrom(statistics);
  return normalise(x, {
    shape,
    statistics,
    source: mode.statistics === "running" ? "given" : "channels",
    sums: isReference && reference
      ? { ...reference.sums, rows: shape.rows / x.shape[0]! * reference.images }
      : undefined,
    scale,
    shift,
    slope,
    parameters: [scale, shift],
    addParameterGradients(tape, { shiftSum, scaleSum }) {
      reference?.sums.shiftSum.copyFrom(shiftSum);
      reference?.sums.scaleSum.copyFrom(scaleSum);
      addGroupSums(tape, shift, shiftSum);
      addGroupSums(tape, scale, scaleSum);
    },
  });
}

/** Mean and inverse standard deviation `[groups, 2, C]` that normalise, from the batch or from the running statistics. */
function normalisingStatistics(
  input: Tensor,
  shape: NormShape,
  { running, mode, reference, epsilon, momentum }: BatchNormOptions,
): Tensor {
  const { context } = input;
  const { groups, channels } = shape;
  if (mode.statistics === "reference") return reference!.statistics.retain();
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
