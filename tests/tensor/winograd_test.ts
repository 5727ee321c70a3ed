import assert from "node:assert/strict";
import { Gpu } from "../../src/gpu/gpu.ts";
import { type Conv2dShape, conv2dSizes } from "../../src/kernels/conv2d_shape.ts";
import type { WinogradOutputs } from "../../src/kernels/winograd_shape.ts";
import { Context } from "../../src/tensor/context.ts";
import { chooseConv2d } from "../../src/tensor/operations/conv2d_kernels.ts";
import { suitsWinograd, winogradForward, winogradGradientInput } from "../../src/tensor/operations/winograd.ts";
import { products } from "../kernels/convolution.ts";
import { testGpu, values } from "../kernels/harness.ts";

const bothOutputs: readonly WinogradOutputs[] = [2, 4];
const base = { batch: 1, height: 8, width: 8, inChannels: 4, outChannels: 4, kernel: 3, stride: 1, padding: 1 };

/** Errors relative to the root of the results' mean square. */
interface Errors {
  readonly largest: number;
  readonly rootMeanSquare: number;
}

function errors(actual: Float32Array, expected: Float64Array): Errors {
  let [largest, squares, scale] = [0, 0, 0];
  expected.forEach((value, i) => {
    const difference = Math.abs(actual[i]! - value);
    largest = Number.isNaN(difference) ? Infinity : Math.max(largest, difference);
    squares += difference ** 2;
    scale += value ** 2;
  });
  return {
    largest: largest / Math.sqrt(scale / expected.length),
    rootMeanSquare: Math.sqrt(squares / scale),
  };
}

for (const C of [4, 16, 64, 160, 320]) {
  Deno.test(`errors at ${C}`, async () => {
    const context = new Context(await testGpu());
    const shape = { ...base, inChannels: C, outChannels: 8, batch: 2 };
    const sizes = conv2dSizes(shape);
    for (const seed of [1, 7]) {
    const [x, w] = [values(sizes.input, seed), values(sizes.weight, seed + 1)];
    const expected = new Float64Array(sizes.output);
    products(shape, (i, v, o) => expected[o]! += x[i]! * w[v]!);
    using input = context.from(x, [sizes.input]);
    using weight = context.from(w, [sizes.weight]);
    using bias = context.zeros([shape.outChannels]);
    using output = context.empty([sizes.output]);
    context.launch(chooseConv2d("lavapipe", shape).forward, shape, { input, weight, bias, output });
    console.log(C, "direct", errors(await output.read(), expected));
    for (const m of bothOutputs) {
      winogradForward(context, shape, { input, weight, bias, output }, m);
      console.log(C, "F", m, errors(await output.read(), expected));
    }
    }
  });
}
