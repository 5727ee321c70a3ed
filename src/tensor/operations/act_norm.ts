import { actNormStatistics } from "../../kernels/norm/act_statistics.ts";
import { multiplyInto } from "../../kernels/vector/multiply.ts";
import { actNormInitialise } from "../../kernels/norm/statistics.ts";
import type { Tensor } from "../tensor.ts";
import { addGroupSums, assertAffine, chunkMoments, normalise, normShape } from "./normalise.ts";

/** Parameters of {@link actNorm}, `[C]` each. */
export interface ActNormParameters {
  readonly scale: Tensor;
  readonly location: Tensor;
}

/** Added to the standard deviation when the parameters are set from data, as in the official code. */
const deviationFloor = 1e-6;

/**
 * Act norm (Kingma and Dhariwal, Glow, 2018): scale·(x + location), followed by a LeakyReLU.
 * @param x `[..., C]`
 * @param slope slope of the LeakyReLU; 1 for none
 * @throws {ShapeError} if the shapes do not fit together.
 */
export function actNorm(x: Tensor, { scale, location }: ActNormParameters, slope: number): Tensor {
  const { context } = x;
  assertAffine(x, scale, location);
  const shape = normShape(x, 1);
  const { channels } = shape;
  using statistics = context.empty([2, channels]);
  using shift = context.zeros([channels]);
  context.launch(actNormStatistics, { channels }, { location, statistics });
  return normalise(x, {
    shape,
    statistics,
    source: "given",
    scale,
    shift,
    slope,
    parameters: [scale, location],
    addParameterGradients(tape, { shiftSum, scaleSum }) {
      addGroupSums(tape, scale, scaleSum);
      const byLocation = tape.target(location);
      if (!byLocation) return;
      if (!byLocation.accumulate) byLocation.gradient.clear();
      context.launch(multiplyInto, { length: channels, factor: 1 }, {
        first: scale,
        second: shiftSum,
        target: byLocation.gradient,
      });
    },
  });
}

/** Sets act norm's parameters so that each channel of `x`, `[..., C]`, gets mean 0 and standard deviation 1. */
export function initialiseActNorm(x: Tensor, { scale, location }: ActNormParameters): void {
  const shape = normShape(x, 1);
  using partials = chunkMoments(x, shape);
  x.context.launch(actNormInitialise, { ...shape, epsilon: deviationFloor }, { partials, location, scale });
}
