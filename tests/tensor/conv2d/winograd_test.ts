import assert from "node:assert/strict";
import { GpuError } from "../../../src/errors.ts";
import type { AdapterFamily } from "../../../src/gpu/adapter_family.ts";
import { Gpu } from "../../../src/gpu/gpu.ts";
import type { GpuKind } from "../../../src/kernels/gpu_kind.ts";
import { type Conv2dShape, conv2dSizes } from "../../../src/kernels/conv2d/shape.ts";
import type { WinogradOutputs } from "../../../src/kernels/winograd/shape.ts";
import { Context } from "../../../src/tensor/context.ts";
import {
  suitsWinograd,
  winogradForward,
  winogradGradientInput,
  winogradGradientWeight,
} from "../../../src/tensor/operations/conv2d/winograd.ts";
import { conv2dGradientWeightTexture } from "../../../src/kernels/conv2d/gradient_weight.ts";
import { byParts, type Conv2dAlgorithms } from "../../../src/tensor/operations/conv2d/algorithm.ts";
import { patchForward } from "../../../src/tensor/operations/conv2d/patch.ts";
import type { Tensor } from "../../../src/tensor/tensor.ts";
import { products, tolerance } from "../../kernels/conv2d/reference.ts";
import { relativeError, rootMeanSquareError, testGpu, values } from "../../kernels/harness.ts";
import { forFamily } from "../../opengl.ts";

const bothOutputs: readonly WinogradOutputs[] = [2, 4];
const base = {
  batch: 1,
  height: 8,
  width: 8,
  inChannels: 4,
  outChannels: 4,
  kernel: 3,
  stride: 1,
  padding: 1,
};

/** Errors relative to the root mean square of the results. */
interface Errors {
  readonly largest: number;
  readonly rootMeanSquare: number;
}

function errors(actual: Float32Array, expected: Float64Array): Errors {
  let [largest, scale] = [0, 0];
  expected.forEach((value, i) => {
    const difference = Math.abs(actual[i]! - value);
    largest = Number.isNaN(difference) ? Infinity : Math.max(largest, difference);
    scale += value ** 2;
  });
  return {
    largest: largest / Math.sqrt(scale / expected.length),
    rootMeanSquare: rootMeanSquareError(actual, expected),
  };
}

/** Asserts that errors in this unit are within bounds. */
function assertWithin(
  actual: Float32Array,
  expected: Float64Array,
  unit: number,
  bounds: Errors,
  what: string,
): void {
  const { largest, rootMeanSquare } = errors(actual, expected);
  const measured = { largest: largest / unit, rootMeanSquare: rootMeanSquare / unit };
  assert(measured.largest < bounds.largest, `${what}: ${JSON.stringify(measured)}`);
  assert(measured.rootMeanSquare < bounds.rootMeanSquare, `${what}: ${JSON.stringify(measured)}`);
}

/** A convolution's operands on the host, and its expected results by the definition in float64. */
interface Reference {
  readonly input: Float32Array;
  readonly weight: Float32Array;
  readonly bias: Float32Array;
  readonly outputGradient: Float32Array;
  /** The values to which the gradient with respect to the input is added. */
  readonly before: Float32Array;
  readonly output: Float64Array;
  readonly inputGradient: Float64Array;
  readonly weightGradient: Float64Array;
}

function reference(shape: Conv2dShape, lowestInput = -1): Reference {
  const sizes = conv2dSizes(shape);
  const input = values(sizes.input, 1, lowestInput);
  const [weight, outputGradient] = [values(sizes.weight, 2), values(sizes.output, 3)];
  const [bias, before] = [values(shape.outChannels, 4), values(sizes.input, 5)];
  const output = Float64Array.from({ length: sizes.output }, (_, i) => bias[i % shape.outChannels]!);
  const inputGradient = new Float64Array(sizes.input);
  const weightGradient = new Float64Array(sizes.weight);
  products(shape, (i, w, o) => {
    output[o]! += input[i]! * weight[w]!;
    inputGradient[i]! += outputGradient[o]! * weight[w]!;
    weightGradient[w]! += outputGradient[o]! * input[i]!;
  });
  return { input, weight, bias, outputGradient, before, output, inputGradient, weightGradient };
}

/** Runs a convolution over NaN, then over the operands, so that anything it does not write itself is NaN. */
async function forward(
  context: Context,
  shape: Conv2dShape,
  { input, weight, bias, output }: Reference,
  convolve: (operands: Record<"input" | "weight" | "bias" | "output", Tensor>) => void,
): Promise<Float32Array> {
  using source = context.from(new Float32Array(input.length).fill(NaN), [input.length]);
  using result = context.from(new Float32Array(output.length).fill(NaN), [output.length]);
  const operands = {
    input: source,
    weight: context.from(weight, [weight.length]),
    bias: context.from(bias, [shape.outChannels]),
    output: result,
  };
  convolve(operands);
  source.write(input);
  convolve(operands);
  operands.weight.dispose();
  operands.bias.dispose();
  return await result.read();
}

async function gradientInput(
  context: Context,
  shape: Conv2dShape,
  { outputGradient, weight, before }: Reference,
  outputs: WinogradOutputs,
  accumulate: boolean,
): Promise<Float32Array> {
  using source = context.from(outputGradient, [outputGradient.length]);
  using weights = context.from(weight, [weight.length]);
  using result = context.from(accumulate ? before : new Float32Array(before.length).fill(NaN), [
    before.length,
  ]);
  winogradGradientInput(context, { ...shape, accumulate }, {
    outputGradient: source,
    weight: weights,
    inputGradient: result,
  }, outputs);
  return await result.read();
}

/** @param accumulate whether to add to the weights rather than overwrite NaN */
async function gradientWeight(
  context: Context,
  shape: Conv2dShape,
  { input, outputGradient, weight }: Reference,
  launch: Conv2dAlgorithms["gradientWeight"]["launch"],
  accumulate = false,
): Promise<Float32Array> {
  using images = context.from(input, [input.length]);
  using gradients = context.from(outputGradient, [outputGradient.length]);
  using result = context.from(accumulate ? weight : new Float32Array(weight.length).fill(NaN), [
    weight.length,
  ]);
  launch(context, { ...shape, accumulate }, {
    input: images,
    outputGradient: gradients,
    weightGradient: result,
  });
  return await result.read();
}

const shapes: readonly Conv2dShape[] = [
  { ...base, batch: 3, height: 7, width: 5, inChannels: 12, outChannels: 20 },
  { ...base, height: 9, width: 6, inChannels: 20, outChannels: 4, padding: 0 },
  { ...base, batch: 3, height: 5, width: 10, inChannels: 4, outChannels: 12, padding: 2 },
  { ...base, height: 1, width: 1 },
];

for (const [family, kind] of [["lavapipe"], ["gpu"], ["gpu", "intel"]] as const) {
  const name = `Winograd's convolution and its gradients equal the definition: ${[family, kind].join(" ")}`;
  Deno.test({ ...forFamily(family, name), fn: () => equalsDefinition(family, kind) });
}

async function equalsDefinition(family: AdapterFamily, kind?: GpuKind): Promise<void> {
  const gpu = await Gpu.request(family, kind);
  const context = new Context(gpu);
  for (const shape of shapes) {
    const expected = reference(shape);
    for (const outputs of bothOutputs) {
      const what = `${JSON.stringify(shape)}, ${outputs} outputs`;
      const output = await forward(
        context,
        shape,
        expected,
        (operands) => winogradForward(context, shape, operands, outputs),
      );
      assert(relativeError(output, expected.output) < tolerance, what);
      for (const accumulate of [false, true]) {
        const sum = expected.inputGradient.map((value, i) => value + (accumulate ? expected.before[i]! : 0));
        const gradient = await gradientInput(context, shape, expected, outputs, accumulate);
        assert(relativeError(gradient, sum) < tolerance, what);
        const weightSum = expected.weightGradient.map((value, i) =>
          value + (accumulate ? expected.weight[i]! : 0)
        );
        const weightGradient = await gradientWeight(
          context,
          shape,
          expected,
          (...operands) => winogradGradientWeight(...operands, outputs),
          accumulate,
        );
        assert(relativeError(weightGradient, weightSum) < tolerance, what);
      }
    }
  }
  gpu.destroy();
}

/**
 * Bounds of the error relative to the results' root mean square, in 2^-24 · √channels, because sums of independent
 * roundings grow with it. The errors were measured from 16 to 320 channels, over inputs of both signs and positive
 * ones. The maxima were: directly 1.02 (the largest error 11.3), 2×2 outputs 0.73 (3.9), 4×4 outputs 2.31 (10.1). So
 * 4×4 outputs cost about one bit, but do not increase the largest errors. The bounds are one and a half times these.
 */
const bounds = {
  direct: { rootMeanSquare: 1.5, largest: 17 },
  2: { rootMeanSquare: 1.1, largest: 6 },
  4: { rootMeanSquare: 3.5, largest: 15 },
} as const;

for (const inChannels of [16, 64, 160, 320]) {
  Deno.test(`Winograd's convolution of ${inChannels} channels is about as exact as the direct one`, async () => {
    const context = new Context(await testGpu());
    const shape = { ...base, batch: 2, inChannels, outChannels: 8 };
    const unit = 2 ** -24 * Math.sqrt(inChannels);
    for (const lowestInput of [-1, 0]) {
      const expected = reference(shape, lowestInput);
      const check = (name: keyof typeof bounds, output: Float32Array) => {
        assertWithin(output, expected.output, unit, bounds[name], `${name}, ${lowestInput}`);
      };
      check(
        "direct",
        await forward(
          context,
          shape,
          expected,
          (operands) => patchForward.launch(context, shape, operands),
        ),
      );
      for (const outputs of bothOutputs) {
        check(
          outputs,
          await forward(
            context,
            shape,
            expected,
            (operands) => winogradForward(context, shape, operands, outputs),
          ),
        );
      }
    }
  });
}

/**
 * The same for the gradient with respect to the weight, in 2^-24 · √pixels. Measured from 256 to 16,384 pixels:
 * directly 0.28 (the largest error 1.65), 2×2 outputs 0.28 (0.98), 4×4 outputs 0.62 (1.99).
 */
const weightBounds = {
  direct: { rootMeanSquare: 0.43, largest: 2.5 },
  2: { rootMeanSquare: 0.42, largest: 1.5 },
  4: { rootMeanSquare: 0.93, largest: 3 },
} as const;

for (const batch of [1, 4, 16, 64]) {
  Deno.test(`Winograd's gradient with respect to the weight over ${batch} images is about as exact as the direct one`, async () => {
    const context = new Context(await testGpu());
    const shape = { ...base, batch, height: 16, width: 16, inChannels: 8, outChannels: 8 };
    const unit = 2 ** -24 * Math.sqrt(batch * shape.height * shape.width);
    const { launch: direct } = byParts("direct", conv2dGradientWeightTexture);
    for (const lowestInput of [-1, 0]) {
      const expected = reference(shape, lowestInput);
      const check = async (name: keyof typeof weightBounds, launch: typeof direct) => {
        const gradient = await gradientWeight(context, shape, expected, launch);
        assertWithin(gradient, expected.weightGradient, unit, weightBounds[name], `${name}, ${lowestInput}`);
      };
      await check("direct", direct);
      for (const outputs of bothOutputs) {
        await check(outputs, (...operands) => winogradGradientWeight(...operands, outputs));
      }
    }
  });
}

Deno.test("Winograd's algorithm takes a batch in parts whose transformed images fit into a binding", async () => {
  const context = new Context(await testGpu());
  // 34 images of 256 × 256 × 4 make 136 MiB of transformed tiles.
  const shape = { ...base, batch: 34, height: 256, width: 256 };
  const sizes = conv2dSizes(shape);
  using input = context.from(values(sizes.input, 1), [sizes.input]);
  using weight = context.from(values(sizes.weight, 2), [sizes.weight]);
  using bias = context.from(values(4, 3), [4]);
  using output = context.from(new Float32Array(sizes.output).fill(NaN), [sizes.output]);
  using direct = context.empty([sizes.output]);
  winogradForward(context, shape, { input, weight, bias, output }, 2);
  patchForward.launch(context, shape, { input, weight, bias, output: direct });
  using weightGradient = context.from(new Float32Array(sizes.weight).fill(NaN), [sizes.weight]);
  using directWeight = context.empty([sizes.weight]);
  const written = { ...shape, accumulate: false };
  const operands = { input, outputGradient: direct };
  winogradGradientWeight(context, written, { ...operands, weightGradient }, 2);
  byParts("direct", conv2dGradientWeightTexture).launch(context, written, {
    ...operands,
    weightGradient: directWeight,
  });
  const [found, expected, foundWeight, expectedWeight] = await context.read([
    ...[output, direct],
    ...[weightGradient, directWeight],
  ]);
  assert(relativeError(found!, expected!) < tolerance);
  assert(relativeError(foundWeight!, expectedWeight!) < tolerance);
});

Deno.test("winogradForward() refuses what suitsWinograd() does not accept", async () => {
  const limits = { maxStorageBufferBindingSize: 2 ** 20 };
  assert(suitsWinograd(base, 4, limits));
  const unsuitable = [
    { ...base, stride: 2 },
    { ...base, kernel: 1 },
    { ...base, padding: 3 },
    { ...base, inChannels: 6 },
    { ...base, outChannels: 6 },
    { ...base, height: 1, padding: 0 },
  ];
  for (const shape of unsuitable) assert(!suitsWinograd(shape, 4, limits), JSON.stringify(shape));
  // An image of 64 × 64 × 16 has 4 transformed values for each value, which is 1 MiB. A larger batch is split into
  // multiples of 32 images, which do not fit.
  assert(suitsWinograd({ ...base, height: 64, width: 64, inChannels: 16 }, 2, limits));
  assert(!suitsWinograd({ ...base, batch: 2, height: 64, width: 64, inChannels: 16 }, 2, limits));

  const context = new Context(await testGpu());
  using tensor = context.zeros([4096]);
  const operands = { input: tensor, weight: tensor, bias: tensor, output: tensor };
  assert.throws(() => winogradForward(context, { ...base, stride: 2 }, operands, 2), GpuError);
});
