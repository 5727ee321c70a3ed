/**
 * Convolutions by matrix units. Only Dawn reaches them, on drivers with cooperative matrices (Mesa 26's lavapipe has
 * some).
 */

import assert from "node:assert/strict";
import { GpuError } from "../../../src/errors.ts";
import { Gpu } from "../../../src/gpu/gpu.ts";
import { matrixUnitsOf } from "../../../src/gpu/matrix_units.ts";
import {
  conv2dForwardMatrix,
  conv2dGradientInputMatrix,
  gradientScale,
  matrixShader,
  type MatrixUnits,
  suitsMatrices,
} from "../../../src/kernels/conv2d/matrix.ts";
import { type Conv2dShape, conv2dSizes } from "../../../src/kernels/conv2d/shape.ts";
import { inHalf } from "../../../src/kernels/half.ts";
import { run } from "../../../src/kernels/run.ts";
import { winogradProductMatrix } from "../../../src/kernels/winograd/matrix_product.ts";
import { Context } from "../../../src/tensor/context.ts";
import { conv2dCandidates } from "../../../src/tensor/operations/conv2d/candidates.ts";
import { describeConv2d } from "../../../src/tensor/operations/conv2d/choice.ts";
import { relativeError, values } from "../harness.ts";
import { withAdapter } from "../../paper_adapter.ts";
import { base, products, tolerance, unevenShapes } from "./reference.ts";

async function matrixGpu(): Promise<Gpu | undefined> {
  try {
    return await Gpu.withMatrixUnits();
  } catch (error) {
    if (error instanceof GpuError) return undefined;
    throw error;
  }
}

const gpu = await matrixGpu();

/** A test that needs an adapter's matrix units. */
function testWithMatrices(name: string, fn: (units: MatrixUnits, device: GPUDevice) => Promise<void>): void {
  const reason = gpu ? "" : " (left out: this adapter offers no matrix units; Dawn does on some drivers)";
  Deno.test({ name: name + reason, ignore: !gpu, fn: () => fn(gpu!.matrixUnits!, gpu!.device) });
}

/**
 * Shapes that are not multiples of the tiles, whose sides are 32 pixels and channels or more, and shapes that fill
 * several tiles.
 */
const shapes: readonly Conv2dShape[] = [
  ...unevenShapes,
  { ...base, height: 4, width: 33, batch: 1, inChannels: 12, outChannels: 68 },
];

/**
 * Values that float16 holds exactly. Products of two of them are exact in float32, so the usual bound on sums applies.
 */
function halves(length: number, seed: number, magnitude = 1): Float32Array {
  const numbers = values(length, seed).map((value) => magnitude * value);
  return new Float32Array(new Float16Array(numbers));
}

for (const [index, shape] of shapes.entries()) {
  const sizes = conv2dSizes(shape);
  const weight = halves(sizes.weight, 2);

  testWithMatrices(
    `conv2dForwardMatrix() equals the definition: ${describeConv2d(shape)}`,
    async (units, device) => {
      const input = halves(sizes.input, 1);
      const bias = values(shape.outChannels, 4);
      const expected = Float64Array.from({ length: sizes.output }, (_, i) => bias[i % shape.outChannels]!);
      products(shape, (i, w, o) => expected[o]! += input[i]! * weight[w]!);
      const operands = { input, weight, bias, output: sizes.output };
      const kernel = conv2dForwardMatrix(units);
      const { output } = await run(kernel, shape, operands, device);
      assert(relativeError(output, expected) < tolerance);
      const { output: stored } = await run(inHalf(kernel, ["input", "output"]), shape, operands, device);
      assert.deepEqual(stored, new Float32Array(new Float16Array(output)));
    },
  );

  testWithMatrices(
    `conv2dGradientInputMatrix() equals the definition: ${describeConv2d(shape)}`,
    async (units, device) => {
      // As small as real gradients. Without the scale, most of them would be rounded to zero.
      const outputGradient = halves(sizes.output, 3).map((value) => value / gradientScale / 64);
      const before = values(sizes.input, 5).map((value) => value / gradientScale);
      for (const accumulate of index < 3 ? [false, true] : [index % 2 === 0]) {
        const expected = Float64Array.from(before, (value) => accumulate ? value : 0);
        products(shape, (i, w, o) => expected[i]! += outputGradient[o]! * weight[w]!);
        const { inputGradient } = await run(conv2dGradientInputMatrix(units), { ...shape, accumulate }, {
          outputGradient,
          weight,
          inputGradient: accumulate ? before : sizes.input,
        }, device);
        assert(relativeError(inputGradient, expected) < tolerance);
      }
    },
  );
}

testWithMatrices(
  "winogradProductMatrix() multiplies matrices that do not divide its tiles",
  async (units, device) => {
    for (
      const [count, rows, inner, columns] of [[1, 1, 4, 4], [16, 35, 20, 36], [36, 64, 32, 32], [
        3,
        70,
        100,
        68,
      ]] as const
    ) {
      for (const scale of [1, gradientScale]) {
        const left = halves(count * rows * inner, 1, 1 / scale);
        const right = halves(count * columns * inner, 2);
        const expected = Float64Array.from({ length: count * rows * columns }, (_, at) => {
          const [p, row, column] = [
            Math.floor(at / rows / columns),
            Math.floor(at / columns) % rows,
            at % columns,
          ];
          let sum = 0;
          for (let i = 0; i < inner; i++) {
            sum += left[(p * rows + row) * inner + i]! * right[(p * columns + column) * inner + i]!;
          }
          return sum;
        });
        const shape = { products: count, rows, inner, columns };
        const { product } = await run(winogradProductMatrix(units, scale), shape, {
          left,
          right,
          product: expected.length,
        }, device);
        assert(relativeError(product, expected) < tolerance, JSON.stringify(shape));
      }
    }
  },
);

testWithMatrices(
  "factors are rounded to float16, and what it cannot hold becomes infinite",
  async (units, device) => {
    const shape = {
      ...base,
      batch: 1,
      height: 1,
      width: 1,
      inChannels: 4,
      outChannels: 4,
      kernel: 1,
      padding: 0,
    };
    const rounded = async (first: number, weight: number) => {
      const { output } = await run(conv2dForwardMatrix(units), shape, {
        input: [first, 0, 0, 0],
        weight: [weight, ...Array(15).fill(0)],
        bias: [0, 0, 0, 0],
        output: 4,
      }, device);
      return output[0];
    };
    assert.equal(await rounded(2049, 1), 2048);
    assert.equal(await rounded(1, 1 + 2 ** -12), 1);
    // The product is beyond float16, but the sum is float32.
    assert.equal(await rounded(60_000, 60_000), Math.f16round(60_000) ** 2);
    assert.equal(await rounded(70_000, 1), Infinity);
  },
);

/**
 * Largest error relative to the largest value when arbitrary factors are rounded to float16, by 2⁻¹² = 2.4·10⁻⁴ at most
 * each. The values are one and a half times the measured errors. Winograd's sums and differences of the factors cancel.
 */
const roundingOf: Readonly<Record<string, number>> = {
  matrix: 4e-4,
  "winograd-2x2-matrix": 8e-4,
  "winograd-4x4-matrix": 3.4e-3,
};

testWithMatrices(
  "every algorithm by matrix units convolves and differentiates, but for its rounding",
  async () => {
    const shape = { ...base, batch: 3, height: 9, width: 7, inChannels: 36, outChannels: 44 };
    const sizes = conv2dSizes(shape);
    const context = new Context(gpu!);
    const [input, weight, bias] = [
      values(sizes.input, 1),
      values(sizes.weight, 2),
      values(shape.outChannels, 4),
    ];
    const outputGradient = values(sizes.output, 3).map((value) => value / gradientScale);
    const output = Float64Array.from({ length: sizes.output }, (_, i) => bias[i % shape.outChannels]!);
    products(shape, (i, w, o) => output[o]! += input[i]! * weight[w]!);
    const inputGradient = new Float64Array(sizes.input);
    products(shape, (i, w, o) => inputGradient[i]! += outputGradient[o]! * weight[w]!);

    const tensor = (contents: Float32Array) => context.from(contents, [contents.length]);
    const poisoned = (length: number) => tensor(new Float32Array(length).fill(NaN));
    const { forward, gradientInput, gradientWeight } = conv2dCandidates(gpu!, shape);
    const names = Object.keys(roundingOf);
    for (const candidates of [forward, gradientInput]) {
      assert.deepEqual(candidates.slice(0, names.length).map(({ name }) => name), names);
      assert(!candidates.slice(names.length).some(({ name }) => name.includes("matrix")));
    }
    assert(!gradientWeight.some(({ name }) => name.includes("matrix")));
    const given = { input: tensor(input), weight: tensor(weight), bias: tensor(bias) };
    for (const algorithm of forward.slice(0, names.length)) {
      const found = poisoned(sizes.output);
      algorithm.launch(context, shape, { ...given, output: found });
      const error = relativeError(await found.read(), output);
      assert(error < roundingOf[algorithm.name]!, `forward ${algorithm.name}: ${error}`);
    }
    for (const algorithm of gradientInput.slice(0, names.length)) {
      const found = poisoned(sizes.input);
      const operands = { outputGradient: tensor(outputGradient), weight: given.weight, inputGradient: found };
      algorithm.launch(context, { ...shape, accumulate: false }, operands);
      const error = relativeError(await found.read(), inputGradient);
      assert(error < roundingOf[algorithm.name]!, `gradientInput ${algorithm.name}: ${error}`);
    }
  },
);

testWithMatrices(
  "a GPU with matrix units is named so, and one without has no algorithms by them",
  async () => {
    assert.match(gpu!.adapterName, /, Dawn on \w+, float16 products$/);
    const plain = await Gpu.request();
    const shape = { ...base, inChannels: 64, outChannels: 64 };
    for (const candidates of Object.values(conv2dCandidates(plain, shape))) {
      assert(!candidates.some(({ name }) => name.includes("matrix")));
    }
    plain.destroy();
  },
);

const nvidia = { rows: 16, columns: 16, inner: 16, subgroupSize: 32 };

Deno.test("matrix units of other sizes are put into the shader, if its tiles fit into workgroup memory", () => {
  const shader = matrixShader(nvidia);
  for (
    const line of ["matrixRows = 16u;", "matrixColumns = 16u;", "matrixInner = 16u;", "subgroupSize = 32u;"]
  ) {
    assert(shader.includes(`\nconst ${line}\n`), line);
  }
  assert(suitsMatrices(nvidia));
  assert(suitsMatrices({ ...nvidia, columns: 8, inner: 8 }));
  assert(!suitsMatrices({ ...nvidia, rows: 32, columns: 32 }));
  assert(!suitsMatrices({ ...nvidia, columns: 2 }));
});

Deno.test("matrix units are those of float16 with sums of float32 that fit, for subgroups of one size", () => {
  const features = new Set(["shader-f16", "subgroups", "chromium-experimental-subgroup-matrix"]);
  const of = (
    componentType: string,
    resultComponentType: string,
    [M, N, K]: readonly [number, number, number],
  ) => ({
    componentType,
    resultComponentType,
    M,
    N,
    K,
  });
  const info = {
    subgroupMinSize: 32,
    subgroupMaxSize: 32,
    subgroupMatrixConfigs: [
      of("f16", "f16", [16, 16, 16]),
      of("f16", "f32", [16, 8, 8]),
      of("f16", "f32", [16, 16, 16]),
      of("f16", "f32", [64, 64, 16]),
      of("i8", "i32", [16, 16, 32]),
    ],
  };
  assert.deepEqual(matrixUnitsOf({ info, features }), nvidia);
  assert.equal(matrixUnitsOf({ info: { ...info, subgroupMaxSize: 64 }, features }), undefined);
  assert.equal(matrixUnitsOf({ info: { ...info, subgroupMatrixConfigs: [] }, features }), undefined);
  assert.equal(matrixUnitsOf({ info, features: new Set(["shader-f16"]) }), undefined);
});

Deno.test("products of float16 are refused in a line where there are no matrix units", async () => {
  const adapter = (await navigator.gpu.requestAdapter())!;
  const { limits, info } = adapter;
  const requestDevice = (descriptor: GPUDeviceDescriptor) => adapter.requestDevice(descriptor);
  const without = { limits, info, features: new Set(["shader-f16"]), requestDevice };
  await assert.rejects(
    () => withAdapter(without, () => Gpu.withMatrixUnits()),
    (error) =>
      error instanceof GpuError &&
      /^products of float16 need matrix units, which .* does not offer: /.test(error.message),
  );
});
