/** Norms that treat each image by itself, and therefore do the same in training and in evaluation. */

import { layerNormStatistics } from "../../kernels/norm/layer_statistics.ts";
import { normStatistics } from "../../kernels/norm/statistics.ts";
import type { Tensor } from "../tensor.ts";
import { addGroupSums, assertAffine, chunkMoments, normalise, normShape } from "./normalise.ts";

/** Parameters of {@link instanceNorm} and {@link layerNorm} beside their input. */
export interface ImageNormOptions {
  /** Scale γ and shift β, `[C]` each. */
  readonly scale: Tensor;
  readonly shift: Tensor;
  readonly epsilon: number;
  /** Slope of a LeakyReLU applied to the result; 1 for none. */
  readonly slope: number;
}

/**
 * Instance normalisation: each channel of each image by its own mean and (biased) variance, as in PyTorch's affine
 * `InstanceNorm2d`, followed by a LeakyReLU.
 * @param x `[N, ..., C]`
 * @throws {ShapeError} if the shapes do not fit together.
 */
export function instanceNorm(x: Tensor, options: ImageNormOptions): Tensor {
  return imageNorm(x, options, "channels");
}

/**
 * Layer normalisation: each image by the mean and (biased) variance of all its values, as in PyTorch's `GroupNorm` with
 * one group, followed by a LeakyReLU. Otherwise like {@link instanceNorm}.
 */
export function layerNorm(x: Tensor, options: ImageNormOptions): Tensor {
  return imageNorm(x, options, "layer");
}

function imageNorm(
  x: Tensor,
  { scale, shift, epsilon, slope }: ImageNormOptions,
  source: "channels" | "layer",
): Tensor {
  const { context } = x;
  assertAffine(x, scale, shift);
  const shape = normShape(x, x.shape[0]!);
  using statistics = context.empty([shape.groups, 2, shape.channels]);
  using partials = chunkMoments(x, shape);
  const secondStage = source === "layer" ? layerNormStatistics : normStatistics;
  context.launch(secondStage, { ...shape, epsilon }, { partials, statistics });
  return normalise(x, {
    shape,
    statistics,
    source,
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
