import { layerNormSums } from "../../kernels/norm/layer_sums.ts";
import { normApply } from "../../kernels/norm/apply.ts";
import { normBackwardApply } from "../../kernels/norm/backward_apply.ts";
import { normBackwardMoments } from "../../kernels/norm/backward_moments.ts";
import { normBackwardSums } from "../../kernels/norm/backward_sums.ts";
import { normChunks, normMoments, type NormShape } from "../../kernels/norm/moments.ts";
import { sumPartials } from "../../kernels/reduce/sum_partials.ts";
import type { Tape } from "../tape.ts";
import { assertShapes, type Tensor } from "../tensor.ts";

/** Σ g and Σ g·normal over the rows of each group, `[groups, C]`; g is the gradient before the LeakyReLU. */
export interface NormSums {
  readonly shiftSum: Tensor;
  readonly scaleSum: Tensor;
}

/** How {@link normalise} normalises, and how its parameters get their gradients. */
export interface Normalisation {
  readonly shape: NormShape;
  /** Mean and inverse standard deviation, `[groups, 2, C]`. */
  readonly statistics: Tensor;
  /** Where the statistics come from: from elsewhere, or from the input, by channel or over all channels together. */
  readonly source: "given" | "channels" | "layer";
  /** The batch through whose statistics the gradient passes; by default the input's own. */
  readonly sums?: NormSums & { readonly rows: number } | undefined;
  /** γ and β, `[C]` each. */
  readonly scale: Tensor;
  readonly shift: Tensor;
  /** Slope of the LeakyReLU that follows; 1 for none. */
  readonly slope: number;
  /** The parameters that are trained. */
  readonly parameters: readonly Tensor[];
  readonly addParameterGradients: (tape: Tape, sums: NormSums) => void;
}

/** The shape in which kernels see `x`, `[N, ..., C]`, cut into groups along the first dimensions. */
export function normShape(x: Tensor, groups: number): NormShape {
  const channels = x.shape.at(-1)!;
  return { groups, rows: x.size / channels / groups, channels };
}

/** Means and sums of squared deviations of the chunks of `x`: the first stage of its statistics. */
export function chunkMoments(input: Tensor, shape: NormShape): Tensor {
  const partials = input.context.empty([normChunks(shape), 2, shape.channels]);
  input.context.launch(normMoments, shape, { input, partials });
  return partials;
}

/**
 * leakyReLU(γ·(x − mean)/deviation + β) in one pass over memory, differentiable with respect to `x` and the parameters.
 * @param x may be float16; the result has the same type
 */
export function normalise(x: Tensor, normalisation: Normalisation): Tensor {
  const { context } = x;
  const { shape, statistics, scale, shift, slope, parameters } = normalisation;
  const output = context.empty(x.shape, x.type);
  context.launch(normApply, { ...shape, slope }, { input: x, statistics, scale, shift, output });
  const tape = context.tape;
  tape?.record([x, ...parameters], output, [x, statistics, shift], (outputGradient) => {
    // With given statistics and fixed parameters, as in sampling with running statistics, nothing needs the sums.
    const { source, sums: given } = normalisation;
    const needsSums = source !== "given" && !given || parameters.some((tensor) => tape.wants(tensor));
    using shiftSum = needsSums ? context.empty([shape.groups, shape.channels]) : undefined;
    using scaleSum = needsSums ? context.empty([shape.groups, shape.channels]) : undefined;
    if (shiftSum && scaleSum) {
      sumGradients(x, outputGradient, normalisation, { shiftSum, scaleSum });
      normalisation.addParameterGradients(tape, { shiftSum, scaleSum });
    }
    const sums = given ?? { shiftSum: shiftSum ?? scale, scaleSum: scaleSum ?? scale };
    addInputGradient(tape, x, outputGradient, normalisation, sums);
  });
  return output;
}

function sumGradients(
  input: Tensor,
  outputGradient: Tensor,
  { shape, statistics, scale, shift, slope }: Normalisation,
  sums: NormSums,
): void {
  const { context } = input;
  using partials = context.empty([normChunks(shape), 2, shape.channels]);
  const operands = { input, statistics, scale, shift, outputGradient, partials };
  context.launch(normBackwardMoments, { ...shape, slope }, operands);
  context.launch(normBackwardSums, shape, { partials, ...sums });
}

function addInputGradient(
  tape: Tape,
  input: Tensor,
  outputGradient: Tensor,
  { shape, statistics, scale, shift, slope, source }: Normalisation,
  sums: NormSums & { readonly rows?: number },
): void {
  const target = tape.target(input);
  if (!target) return;
  const { context } = input;
  const { gradient: inputGradient, accumulate } = target;
  const scaledSums = source === "layer";
  using spreadShift = scaledSums ? context.empty(sums.shiftSum.shape) : undefined;
  using spreadScale = scaledSums ? context.empty(sums.scaleSum.shape) : undefined;
  if (spreadShift && spreadScale) {
    context.launch(layerNormSums, shape, { scale, ...sums, spreadShift, spreadScale });
  }
  const ownStatistics = source !== "given";
  const sumRows = sums.rows ?? shape.rows;
  context.launch(normBackwardApply, { ...shape, slope, ownStatistics, scaledSums, sumRows, accumulate }, {
    input,
    statistics,
    scale,
    shift,
    outputGradient,
    shiftSum: spreadShift ?? sums.shiftSum,
    scaleSum: spreadScale ?? sums.scaleSum,
    inputGradient,
  });
}

/**
 * Adds Σ over the groups of `sums`, `[groups, C]`, to the gradient with respect to a parameter `[C]`, if it is wanted.
 */
export function addGroupSums(tape: Tape, parameter: Tensor, sums: Tensor): void {
  const target = tape.target(parameter);
  if (!target) return;
  const { gradient: sum, accumulate } = target;
  const [groups = 0, length = 0] = sums.shape;
  parameter.context.launch(sumPartials, { partials: groups, length, accumulate }, { partials: sums, sum });
}

/** Throws a `ShapeError` unless γ and β have a value for each channel of `x`. */
export function assertAffine(x: Tensor, scale: Tensor, shift: Tensor): void {
  const channels = x.shape.at(-1);
  assertShapes(
    scale.size === channels && shift.size === channels,
    "a norm takes inputs [..., C], and scale and shift [C]",
    x,
    scale,
    shift,
  );
}
