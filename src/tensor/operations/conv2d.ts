import { columnSumChunks, columnSums } from "../../kernels/column_sums.ts";
import { conv2dForward, conv2dForwardFew } from "../../kernels/conv2d_forward.ts";
import { conv2dGradientInput, conv2dGradientInputFew } from "../../kernels/conv2d_gradient_input.ts";
import {
  conv2dGradientWeight,
  conv2dGradientWeightFew,
  gradientWeightSplits,
} from "../../kernels/conv2d_gradient_weight.ts";
import { conv2dForwardPatch, conv2dGradientInputPatch, suitsPatches } from "../../kernels/conv2d_patch.ts";
import { type Conv2dShape, outputSize } from "../../kernels/conv2d_shape.ts";
import { sumPartials } from "../../kernels/sum_partials.ts";
import type { GradientTarget } from "../tape.ts";
import { assertShapes, type Tensor } from "../tensor.ts";

/**
 * 2-D convolution (cross-correlation, as in PyTorch) with zero padding and bias.
 * @param x images `[N, H, W, Cin]`
 * @param weight `[k, k, Cin, Cout]`
 * @param bias `[Cout]`
 * @returns `[N, H', W', Cout]` with H' = ⌊(H + 2·padding − k) / stride⌋ + 1
 * @throws {ShapeError} if the shapes do not fit together.
 */
export function conv2d(
  x: Tensor,
  weight: Tensor,
  bias: Tensor,
  { stride, padding }: { readonly stride: number; readonly padding: number },
): Tensor {
  const { context } = x;
  const shape = conv2dShape(x, weight, bias, stride, padding);
  const { height, width } = outputSize(shape);
  const output = context.empty([shape.batch, height, width, shape.outChannels]);
  context.launch(forwardKernel(shape), shape, { input: x, weight, bias, output });

  const tape = context.tape;
  tape?.record([x, weight, bias], output, tape.wants(weight) ? [x] : [], (outputGradient) => {
    const byInput = tape.target(x);
    if (byInput) {
      const { gradient: inputGradient, accumulate } = byInput;
      context.launch(gradientInputKernel(shape), { ...shape, accumulate }, {
        outputGradient,
        weight,
        inputGradient,
      });
    }
    const byWeight = tape.target(weight);
    if (byWeight) gradientByWeight(x, outputGradient, byWeight, shape);
    const byBias = tape.target(bias);
    if (byBias) addColumnSums(outputGradient, byBias, shape.outChannels);
  });
  return output;
}

/** Gradient by a bias that was added to every row of a `[..., columns]` tensor: the sums of the columns. */
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

function gradientByWeight(
  input: Tensor,
  outputGradient: Tensor,
  { gradient: sum, accumulate }: GradientTarget,
  shape: Conv2dShape,
): void {
  const { context } = input;
  const splits = gradientWeightSplits(shape);
  using partials = context.empty([splits, sum.size]);
  const kernel = isFew(shape) ? conv2dGradientWeightFew : conv2dGradientWeight;
  context.launch(kernel, shape, { input, outputGradient, partials });
  context.launch(sumPartials, { partials: splits, length: sum.size, accumulate }, { partials, sum });
}

function forwardKernel(shape: Conv2dShape) {
  if (isFew(shape)) return conv2dForwardFew;
  return suitsPatches(shape) ? conv2dForwardPatch : conv2dForward;
}

function gradientInputKernel(shape: Conv2dShape) {
  if (isFew(shape)) return conv2dGradientInputFew;
  return suitsPatches(shape) ? conv2dGradientInputPatch : conv2dGradientInput;
}

/** Whether the input's channels cannot be read four at a time, as is the case for most images. */
function isFew({ inChannels }: Conv2dShape): boolean {
  return inChannels % 4 !== 0;
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
