import { columnSumChunks, columnSums } from "../../../kernels/reduce/column_sums.ts";
import { type Conv2dShape, outputSize } from "../../../kernels/conv2d/shape.ts";
import { sumPartials } from "../../../kernels/reduce/sum_partials.ts";
import type { GradientTarget } from "../../tape.ts";
import type { ElementType } from "../../element_type.ts";
import { assertShapes, type Tensor } from "../../tensor.ts";
import { conv2dChoice } from "./choice.ts";
import { fitColumns } from "../fit_columns.ts";

/** How {@link conv2d} moves over its images, and the type of its output. */
export interface Conv2dOptions {
  readonly stride: number;
  readonly padding: number;
  /** Type of the output; by default the input's. */
  readonly type?: ElementType;
}

/**
 * 2-D convolution (cross-correlation, as in PyTorch) with zero padding and bias.
 * @param x images `[N, H, W, Cin]`, which may be float16
 * @param weight `[k, k, Cin, Cout]`
 * @param bias `[Cout]`
 * @returns `[N, H', W', Cout]` with H' = ⌊(H + 2·padding − k) / stride⌋ + 1
 * @throws {ShapeError} if the shapes do not fit together.
 */
export function conv2d(
  x: Tensor,
  weight: Tensor,
  bias: Tensor,
  { stride, padding, type = x.type }: Conv2dOptions,
): Tensor {
  const shape = conv2dShape(x, weight, bias, stride, padding);
  if (shape.inChannels % 4 !== 0) return conv2d(...padded(x, weight), bias, { stride, padding, type });
  const { height, width } = outputSize(shape);
  const output = x.context.empty([shape.batch, height, width, shape.outChannels], type);
  return convolve(x, weight, bias, shape, output);
}

/** Images and weights, padded with channels of zeros up to a multiple of 4, since the kernels load four at a time. */
function padded(x: Tensor, weight: Tensor): [Tensor, Tensor] {
  const [kernel = 0, , channels = 0, outChannels = 0] = weight.shape;
  const four = Math.ceil(channels / 4) * 4;
  return [
    fitColumns(x, channels, [...x.shape.slice(0, 3), four], four),
    fitColumns(weight, channels * outChannels, [kernel, kernel, four, outChannels], four * outChannels),
  ];
}

/**
 * {@link conv2d} into `output`, which it returns. `shape` says how to read the tensors, whatever their own shapes are.
 */
export function convolve(
  x: Tensor,
  weight: Tensor,
  bias: Tensor,
  shape: Conv2dShape,
  output: Tensor,
): Tensor {
  const { context } = x;
  const algorithms = conv2dChoice(context);
  algorithms.of("forward", shape).launch(context, shape, { input: x, weight, bias, output });

  const tape = context.tape;
  tape?.record([x, weight, bias], output, tape.wants(weight) ? [x] : [], (outputGradient) => {
    const byInput = tape.target(x);
    if (byInput) {
      const { gradient: inputGradient, accumulate } = byInput;
      const operands = { outputGradient, weight, inputGradient };
      algorithms.of("gradientInput", shape).launch(context, { ...shape, accumulate }, operands);
    }
    const byWeight = tape.target(weight);
    if (byWeight) {
      const { gradient: weightGradient, accumulate } = byWeight;
      const operands = { input: x, outputGradient, weightGradient };
      algorithms.of("gradientWeight", shape).launch(context, { ...shape, accumulate }, operands);
    }
    const byBias = tape.target(bias);
    if (byBias) addColumnSums(outputGradient, byBias, shape.outChannels);
  });
  return output;
}

/**
 * Gradient with respect to a bias that was added to every row of a `[..., columns]` tensor: the sums of the columns.
 */
export function addColumnSums(
  matrix: Tensor,
  { gradient: sum, accumulate }: GradientTarget,
  columns: number,
): void {
  const { context } = matrix;
  const shape = { rows: matrix.size / columns, columns };
  const chunks = columnSumChunks(shape);
  using partials = context.empty([chunks, columns]);
  context.launch(columnSums, shape, { matrix, partials });
  context.launch(sumPartials, { partials: chunks, length: columns, accumulate }, { partials, sum });
}

function conv2dShape(x: Tensor, weight: Tensor, bias: Tensor, stride: number, padding: number): Conv2dShape {
  const [batch = 0, height = 0, width = 0, inChannels = 0] = x.shape;
  const [kernel = 0, kernelWidth, weightChannels, outChannels = 0] = weight.shape;
  assertShapes(
    x.shape.length === 4 && weight.shape.length === 4 && kernel === kernelWidth &&
      weightChannels === inChannels && bias.size === outChannels,
    "a convolution takes images [N, H, W, Cin], weights [k, k, Cin, Cout] and a bias [Cout]",
    x,
    weight,
    bias,
  );
  return { batch, height, width, inChannels, outChannels, kernel, stride, padding };
}
