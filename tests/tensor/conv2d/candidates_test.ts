import assert from "node:assert/strict";
import { adapterFamilies, type AdapterFamily } from "../../../src/gpu/adapter_family.ts";
import { Gpu } from "../../../src/gpu/gpu.ts";
import { type GpuKind, gpuKinds } from "../../../src/kernels/gpu_kind.ts";
import { type Conv2dShape, conv2dSizes } from "../../../src/kernels/conv2d/shape.ts";
import { Context } from "../../../src/tensor/context.ts";
import type { Conv2dAlgorithm } from "../../../src/tensor/operations/conv2d/algorithm.ts";
import { conv2dCandidates } from "../../../src/tensor/operations/conv2d/candidates.ts";
import { describeConv2d } from "../../../src/tensor/operations/conv2d/choice.ts";
import { products, tolerance } from "../../kernels/conv2d/reference.ts";
import { relativeError, values } from "../../kernels/harness.ts";
import { forFamily } from "../../opengl.ts";

const base: Conv2dShape = {
  batch: 3,
  height: 7,
  width: 5,
  inChannels: 36,
  outChannels: 44,
  kernel: 3,
  stride: 1,
  padding: 1,
};

/** No size is a multiple of the tiles. */
const shapes: readonly Conv2dShape[] = [
  base,
  { ...base, stride: 2, height: 9, width: 12 },
];
/** Channel counts for which the tiles of all staged kernels differ. */
const wide: Conv2dShape = { ...base, batch: 1, height: 9, inChannels: 140, outChannels: 204 };

for (const family of adapterFamilies) {
  for (const shape of family === "gpu" ? [...shapes, wide] : shapes) {
    const name = `every candidate for ${family} equals the definition: ${describeConv2d(shape)}`;
    Deno.test({ ...forFamily(family, name), fn: () => allEqualDefinition(family, shape) });
  }
}

/** Shapes for which kinds of GPUs have their own tiles: narrow ones, and whole tiles of 64 channels. */
const ofKinds: readonly Conv2dShape[] = [
  { ...base, inChannels: 8, outChannels: 12 },
  { ...base, batch: 1, height: 9, stride: 2, inChannels: 64, outChannels: 192 },
];

for (const kind of gpuKinds) {
  for (const shape of ofKinds) {
    const name = `the default for GPUs of the kind ${kind} equals the definition: ${describeConv2d(shape)}`;
    Deno.test({ ...forFamily("gpu", name), fn: () => allEqualDefinition("gpu", shape, kind) });
  }
}

async function allEqualDefinition(family: AdapterFamily, shape: Conv2dShape, kind?: GpuKind): Promise<void> {
  const gpu = await Gpu.request(family, kind);
  const context = new Context(gpu);
  const candidates = conv2dCandidates(gpu, shape);
  // All candidates except the default are the same for every kind.
  const tested = <Algorithm>(all: readonly Algorithm[]) => kind ? all.slice(0, 1) : all;
  const [forward, gradientInput, gradientWeight] = [
    tested(candidates.forward),
    tested(candidates.gradientInput),
    tested(candidates.gradientWeight),
  ];
  const sizes = conv2dSizes(shape);
  const input = values(sizes.input, 1);
  const weight = values(sizes.weight, 2);
  const outputGradient = values(sizes.output, 3);
  const bias = values(shape.outChannels, 4);

  const output = Float64Array.from({ length: sizes.output }, (_, i) => bias[i % shape.outChannels]!);
  products(shape, (i, w, o) => output[o]! += input[i]! * weight[w]!);
  await compare(context, forward, shape, { input, weight, bias }, "output", output);

  const before = values(sizes.input, 5);
  const inputGradient = Float64Array.from(before);
  products(shape, (i, w, o) => inputGradient[i]! += outputGradient[o]! * weight[w]!);
  const added = { ...shape, accumulate: true };
  await compare(
    context,
    gradientInput,
    added,
    { outputGradient, weight },
    "inputGradient",
    inputGradient,
    before,
  );

  const weightGradient = new Float64Array(sizes.weight);
  products(shape, (i, w, o) => weightGradient[w]! += input[i]! * outputGradient[o]!);
  const written = { ...shape, accumulate: false };
  await compare(
    context,
    gradientWeight,
    written,
    { input, outputGradient },
    "weightGradient",
    weightGradient,
  );
  gpu.destroy();
}

/** Runs each candidate on poisoned memory, or on the contents of `before`. */
async function compare<Shape extends Conv2dShape, Name extends string, Result extends Name>(
  context: Context,
  candidates: readonly Conv2dAlgorithm<Shape, Name>[],
  shape: Shape,
  operands: Readonly<Record<Exclude<Name, Result>, Float32Array>>,
  result: Result,
  expected: Float64Array,
  before: Float32Array = new Float32Array(expected.length).fill(NaN),
): Promise<void> {
  const names = candidates.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length, `names that are not unique: ${names}`);
  const vector = (array: Float32Array) => context.from(array, [array.length]);
  const tensors = Object.fromEntries(
    Object.entries<Float32Array>(operands).map(([name, array]) => [name, vector(array)]),
  );
  for (const candidate of candidates) {
    const found = vector(before);
    candidate.launch(context, shape, { ...tensors, [result]: found } as Record<Name, typeof found>);
    assert(relativeError(await found.read(), expected) < tolerance, `${result} by ${candidate.name}`);
  }
}

Deno.test("Winograd's algorithm is the default where it wins", () => {
  const limits = { maxStorageBufferBindingSize: 2 ** 27 };
  const defaults = (adapterFamily: "lavapipe" | "gpu", channels: number, size: number, stride: number) => {
    const square = { height: size, width: size, inChannels: channels, outChannels: channels, stride };
    const { forward, gradientInput, gradientWeight } = conv2dCandidates(
      { adapterFamily, device: { limits } },
      { ...base, ...square },
    );
    return [forward, gradientInput, gradientWeight].map(([first]) => first.name === "winograd-4x4");
  };
  assert.deepEqual(defaults("gpu", 160, 8, 1), [true, true, true]);
  assert.deepEqual(defaults("gpu", 160, 8, 2), [false, false, false]);
  assert.deepEqual(defaults("gpu", 160, 4, 1), [false, false, false]);
  assert.deepEqual(defaults("gpu", 128, 8, 1), [false, false, false]);
  assert.deepEqual(defaults("lavapipe", 128, 8, 1), [true, true, true]);
  assert.deepEqual(defaults("lavapipe", 64, 4, 1), [false, false, true]);
  assert.deepEqual(defaults("lavapipe", 32, 4, 1), [false, false, false]);
});
