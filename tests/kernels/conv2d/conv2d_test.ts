import assert from "node:assert/strict";
import {
  conv2dForward,
  conv2dForwardCompact,
  conv2dForwardTexture,
} from "../../../src/kernels/conv2d/forward.ts";
import {
  conv2dGradientInput,
  conv2dGradientInputCompact,
  conv2dGradientInputTexture,
} from "../../../src/kernels/conv2d/gradient_input.ts";
import {
  type Conv2dGradientWeight,
  conv2dGradientWeight,
  conv2dGradientWeightCompact,
  conv2dGradientWeightTexture,
} from "../../../src/kernels/conv2d/gradient_weight.ts";
import { conv2dPatch, gradientConvolution } from "../../../src/kernels/conv2d/patch.ts";
import { conv2dForwardPatch, conv2dGradientInputPatch } from "../../../src/kernels/conv2d/patch_staged.ts";
import { type Conv2dShape, conv2dSizes } from "../../../src/kernels/conv2d/shape.ts";
import { conv2dTurnWeight } from "../../../src/kernels/conv2d/turn_weight.ts";
import { sumPartials } from "../../../src/kernels/reduce/sum_partials.ts";
import { describeConv2d } from "../../../src/tensor/operations/conv2d/choice.ts";
import { base, products, tolerance, unevenShapes } from "./reference.ts";
import { relativeError, runKernel, values } from "../harness.ts";
import { forFamily } from "../../opengl.ts";

/**
 * More than one patch each way, and every division of channels. There are few shapes, because each takes software
 * adapters seconds to compile.
 */
const patchShapes: readonly Conv2dShape[] = [
  { ...base, height: 18, width: 35, inChannels: 4, outChannels: 8, padding: 0 },
  { ...base, height: 17, width: 34, batch: 1, inChannels: 16, outChannels: 4, padding: 2 },
  { ...base, height: 4, width: 33, batch: 1, inChannels: 12, outChannels: 16 },
];

/** Shapes that are not multiples of the tiles, and those of the networks. */
const shapes: readonly Conv2dShape[] = [
  ...unevenShapes,
  // Rows and columns of the gradient with respect to the weight are divided differently, with and without whole steps.
  { ...base, kernel: 1, padding: 0, outChannels: 44 },
  { ...base, kernel: 1, padding: 0, height: 8, width: 8, inChannels: 16, outChannels: 168 },
  ...patchShapes,
];

/** The kernels of each direction that GPUs use, and those that other adapters use. */
const kernelsFor = {
  gpu: {
    forward: [conv2dForward],
    gradientInput: [conv2dGradientInput],
    gradientWeight: [conv2dGradientWeight],
  },
  lavapipe: {
    forward: [conv2dForwardCompact, conv2dForwardTexture],
    gradientInput: [conv2dGradientInputCompact, conv2dGradientInputTexture],
    gradientWeight: [conv2dGradientWeightTexture, conv2dGradientWeightCompact],
  },
} as const;
const families = ["gpu", "lavapipe"] as const;
const cases = shapes.flatMap((shape, index) => families.map((family) => ({ shape, index, family })));

/** Writing and adding are two pipelines. The first shapes, which use every kernel, test both. The others test one. */
const accumulations = (index: number) => index < 3 ? [false, true] : [index % 2 === 0];

for (const { shape, index, family } of cases) {
  const { forward, gradientInput, gradientWeight } = kernelsFor[family];
  const sizes = conv2dSizes(shape);
  const isPatchable = shape.kernel === 3 && shape.stride === 1;
  const patchable = family === "lavapipe" && isPatchable;
  const takesStagedPatches = family === "gpu" && patchShapes.includes(shape);
  const test = (what: string, fn: () => Promise<void>) =>
    Deno.test({ ...forFamily(family, `${what}, for ${family}: ${describeConv2d(shape)}`), fn });
  const input = values(sizes.input, 1);
  const weight = values(sizes.weight, 2);
  const outputGradient = values(sizes.output, 3);

  test("conv2dForward() equals the definition", async () => {
    const bias = values(shape.outChannels, 4);
    const expected = Float64Array.from({ length: sizes.output }, (_, i) => bias[i % shape.outChannels]!);
    products(shape, (i, w, o) => expected[o]! += input[i]! * weight[w]!);
    const operands = { input, weight, bias, output: sizes.output };
    for (const kernel of takesStagedPatches ? [...forward, conv2dForwardPatch] : forward) {
      const { output } = await runKernel(kernel, shape, operands);
      assert(relativeError(output, expected) < tolerance, kernel.name);
    }
    if (!patchable) return;
    const { output } = await runKernel(conv2dPatch, { ...shape, addBias: true, accumulate: false }, operands);
    assert(relativeError(output, expected) < tolerance, "conv2d_patch");
  });

  test("conv2dGradientInput() equals the definition", async () => {
    const before = values(sizes.input, 5);
    for (const accumulate of accumulations(index)) {
      const expected = Float64Array.from(before, (value) => accumulate ? value : 0);
      products(shape, (i, w, o) => expected[i]! += outputGradient[o]! * weight[w]!);
      const operands = { outputGradient, weight, inputGradient: accumulate ? before : sizes.input };
      const patch = takesStagedPatches ? [conv2dGradientInputPatch] : [];
      for (const kernel of [...gradientInput, ...patch]) {
        const { inputGradient } = await runKernel(kernel, { ...shape, accumulate }, operands);
        assert(relativeError(inputGradient, expected) < tolerance, kernel.name);
      }
      if (!patchable) continue;
      const { turned } = await runKernel(conv2dTurnWeight, shape, { weight, turned: sizes.weight });
      const backwards = { ...gradientConvolution(shape), addBias: false, accumulate };
      const { output } = await runKernel(conv2dPatch, backwards, {
        input: outputGradient,
        weight: turned,
        bias: new Float32Array(shape.inChannels).fill(NaN),
        output: operands.inputGradient,
      });
      assert(relativeError(output, expected) < tolerance, "conv2d_patch");
    }
  });

  test("conv2dGradientWeight() with sumPartials() equals the definition", async () => {
    const expected = new Float64Array(sizes.weight);
    products(shape, (i, w, o) => expected[w]! += input[i]! * outputGradient[o]!);
    for (const kernel of gradientWeight) {
      const found = await weightGradient(kernel, shape, input, outputGradient);
      assert(relativeError(found, expected) < tolerance, kernel.name);
    }
  });
}

const large = { ...base, height: 40, width: 40 };
for (
  const [family, kernel, shape] of [
    ["gpu", conv2dGradientWeight, { ...large, batch: 52, inChannels: 4, outChannels: 4 }],
    // With this many channels, each part is as large as it may be.
    ["lavapipe", conv2dGradientWeightTexture, { ...large, batch: 55, inChannels: 128, outChannels: 128 }],
  ] as const
) {
  const name = `${kernel.name} sums more output pixels than one loop may have iterations`;
  Deno.test({
    ...forFamily(family, name),
    async fn() {
      const { input, output } = conv2dSizes(shape);
      const ones = (count: number) => new Float32Array(count).fill(1);
      const gradient = await weightGradient(kernel, shape, ones(input), ones(output));
      // All pixels for the centre tap. For the corner, those not in the border's first row or column. Both are exact in
      // float32.
      const { batch, inChannels, outChannels } = shape;
      assert.equal(gradient[4 * inChannels * outChannels], batch * 40 * 40);
      assert.equal(gradient[0], batch * 39 * 39);
    },
  });
}

Deno.test("conv2dTurnWeight() turns taps and swaps channels", async () => {
  for (const shape of [base, { ...base, kernel: 1, inChannels: 20, outChannels: 4 }]) {
    const { kernel, inChannels, outChannels } = shape;
    const weight = values(conv2dSizes(shape).weight, 2);
    const { turned } = await runKernel(conv2dTurnWeight, shape, { weight, turned: weight.length });
    const expected = new Float32Array(weight.length);
    weight.forEach((value, i) => {
      const [tap, c, o] = [
        Math.floor(i / inChannels / outChannels),
        Math.floor(i / outChannels) % inChannels,
        i % outChannels,
      ];
      expected[((kernel ** 2 - 1 - tap) * outChannels + o) * inChannels + c] = value;
    });
    assert.deepEqual(turned, expected);
  }
});

Deno.test("convolutions refuse channels and kernels that they do not support", () => {
  assert.throws(() => conv2dForward.constants({ ...base, inChannels: 6 }), /input channels/);
  assert.throws(() => conv2dForward.constants({ ...base, outChannels: 10 }), /output channels/);
  assert.throws(() => conv2dForward.constants({ ...base, kernel: 5 }), /kernel size/);
  assert.throws(() => conv2dForward.constants({ ...base, height: 1, padding: 0 }), /no output/);
  const plain = { addBias: true, accumulate: false };
  assert.throws(() => conv2dPatch.constants({ ...base, ...plain, stride: 2 }), /stride 2/);
  assert.throws(() => conv2dPatch.constants({ ...base, ...plain, height: 1, padding: 0 }), /output of -1/);
  assert.throws(() => conv2dForwardPatch.constants({ ...base, stride: 2 }), /stride 2/);
  assert.throws(
    () => conv2dForwardPatch.constants({ ...base, outChannels: 20 }),
    /at most 16 channels, not 20/,
  );
  const wide = { ...base, inChannels: 20, accumulate: false };
  assert.throws(() => conv2dGradientInputPatch.constants(wide), /at most 16 channels, not 20/);
  assert.throws(() => conv2dTurnWeight.constants({ ...base, kernel: 5 }), /kernel 5/);
});

async function weightGradient(
  kernel: Conv2dGradientWeight,
  shape: Conv2dShape,
  input: Float32Array,
  outputGradient: Float32Array,
): Promise<Float32Array> {
  const length = conv2dSizes(shape).weight;
  const partials = kernel.splits(shape);
  const parts = await runKernel(kernel, shape, { input, outputGradient, partials: partials * length });
  const sumShape = { partials, length, accumulate: false };
  return (await runKernel(sumPartials, sumShape, { partials: parts.partials, sum: length })).sum;
}
