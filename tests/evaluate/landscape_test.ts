import assert from "node:assert/strict";
import { DeviceImages } from "../../src/data/device_images.ts";
import { loadDataset } from "../../src/data/load.ts";
import { Landscape } from "../../src/evaluate/landscape.ts";
import { frozenTraining, WideResNet } from "../../src/nn/wide_resnet.ts";
import { Context } from "../../src/tensor/context.ts";
import type { Parameter } from "../../src/tensor/parameters.ts";
import { elements } from "../../src/tensor/tensor.ts";
import { buildModel, buildOptimizer, buildSharpnessAware } from "../../src/train/build.ts";
import { restoreModel } from "../../src/train/checkpoint/checkpoint.ts";
import { readModelFile } from "../../src/train/checkpoint/import.ts";
import { relativeError, testGpu, values } from "../kernels/harness.ts";

const shipped = new URL("../../data/models/digits.safetensors", import.meta.url);
const checkpoint = await readModelFile(await Deno.readFile(shipped));
const context = new Context(await testGpu());
const model = buildModel(context, checkpoint.configuration, checkpoint.images);
restoreModel(model, checkpoint);
const { parameters, runningStatistics, architecture: { classes } } = model;
const { trainableLength } = parameters;
const origin = await parameters.values.read();

const dataset = await loadDataset({ name: "digits" });
const train = new DeviceImages(context, dataset, dataset.train);
const [images, labels] = [train.range(0, 64), train.labels.subarray(0, 64)];

/** A landscape at the shipped parameters, which are restored even after a failure. */
async function inLandscape(work: (view: Landscape) => Promise<void> | void): Promise<void> {
  const view = await Landscape.of(model, images, labels);
  try {
    await work(view);
  } finally {
    view.restore();
  }
}

/** The mean cross-entropy from the logits with the batch's statistics, in float64. */
async function lossOnHost(): Promise<number> {
  const tracked = runningStatistics.batchesTracked;
  using logits = context.scope(() => model.classify(images, frozenTraining));
  runningStatistics.batchesTracked = tracked;
  const rows = await logits.read();
  let total = 0;
  labels.forEach((label, row) => {
    const own = Array.from(rows.subarray(row * classes, (row + 1) * classes));
    const top = Math.max(...own);
    total += top + Math.log(own.reduce((sum, logit) => sum + Math.exp(logit - top), 0)) - own[label]!;
  });
  return total / labels.length;
}

/** The derivative of the loss along a direction, by central differences. */
async function slopeOf(
  view: Landscape,
  direction: Float64Array,
  place: number,
  step: number,
): Promise<number> {
  const ahead = await view.lossAt([direction], [place + step]);
  return (ahead - await view.lossAt([direction], [place - step])) / (2 * step);
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

/** Squared lengths of a parameter's filters. The last dimension of its shape counts the filters. */
function filterSquares(vector: ArrayLike<number>, { offset, shape }: Parameter): Float64Array {
  const squares = new Float64Array(shape.at(-1)!);
  for (let i = 0; i < elements(shape); i++) squares[i % squares.length]! += vector[offset + i]! ** 2;
  return squares;
}

Deno.test("Landscape.lossAt() is the mean cross-entropy with batch statistics, here and elsewhere", () =>
  inLandscape(async (view) => {
    const expected = await lossOnHost();
    assert(Math.abs(await view.lossAt([], []) - expected) < 1e-6 * expected);
    const directions = [view.randomDirection(1, 0), view.randomDirection(1, 1)];
    const found = await view.lossAt(directions, [0.3, -0.2]);
    const [one, other] = directions.map((direction) => (i: number) => direction[i] ?? 0);
    const moved = origin.map((value, i) => value + 0.3 * one!(i) - 0.2 * other!(i));
    parameters.values.write(moved);
    const there = await lossOnHost();
    assert(Math.abs(found - there) < 1e-5 * there && Math.abs(there - expected) > 0.05 * expected);
    assert.equal(await view.lossAt(directions, [0, 0]), await view.lossAt([], []), "back at the origin");
  }));

Deno.test("Landscape.gradientAt() is the slope of lossAt() along filter-normalised directions", () =>
  inLandscape(async (view) => {
    for (const index of [0, 1, 2]) {
      const direction = view.randomDirection(3, index);
      for (const place of [0, 0.2, 0.3]) {
        const gradient = await view.gradientAt([direction], [place]);
        assert.equal(gradient.length, trainableLength);
        const error = Math.abs(await slopeOf(view, direction, place, 5e-4) - dot(gradient, direction));
        // The losses' rounding divided by the step is 1e-5. The rest comes from kinks of LeakyReLUs within the step, up
        // to 1.2e-4 of the steepest slope. At the trained parameters, the slope itself is even smaller.
        const steepest = Math.sqrt(dot(gradient, gradient) * dot(direction, direction));
        assert(error < 2e-4 * steepest, `direction ${index} at ${place}: off by ${error} of ${steepest}`);
        if (place > 0) assert(error < 0.02 * dot(gradient, direction), `direction ${index} at ${place}`);
      }
    }
  }));

for (const adaptive of [false, true]) {
  Deno.test(`Landscape.ascentDirection(${adaptive}) is SAM's climb with ρ = 1, of length 1 as SAM measures it`, () =>
    inLandscape(async (view) => {
      const direction = await view.ascentDirection(adaptive);
      // gradientAt() has left the gradients in place, and the parameters are the shipped ones.
      const optimizer = buildOptimizer(model, checkpoint.configuration);
      buildSharpnessAware(model, optimizer, { ...checkpoint.configuration, rho: 2, adaptive }).climb();
      const climbed = await parameters.values.read();
      const expected = Float64Array.from(direction, (_, i) => (climbed[i]! - origin[i]!) / 2);
      assert(relativeError(direction, expected) < 2e-6);
      const scaled = direction.map((value, i) => adaptive && value !== 0 ? value / origin[i]! : value);
      assert(Math.abs(Math.sqrt(dot(scaled, scaled)) - 1) < 1e-6);
      const gradient = await view.gradientAt([], []);
      const climbable = adaptive ? gradient.map((g, i) => g * origin[i]!) : gradient;
      const steepest = Math.sqrt(dot(climbable, climbable));
      assert(Math.abs(dot(gradient, direction) / steepest - 1) < 1e-5);
      const slope = await slopeOf(view, direction, 0, 1e-2);
      assert(Math.abs(slope / steepest - 1) < 0.01, `the loss grows by ${slope}, not ${steepest}`);
      const climbedLoss = await view.lossAt([direction], [0.5]);
      assert(climbedLoss > await view.lossAt([], []) + 0.02, "a long climb raises the loss");
    }));
}

Deno.test("Landscape.randomDirection() has filters as long as the model's, and leaves biases and norms alone", () =>
  inLandscape((view) => {
    const direction = view.randomDirection(11, 4);
    assert.equal(direction.length, trainableLength);
    let inFilters = 0;
    for (const parameter of parameters.trainable) {
      const [ours, own] = [filterSquares(direction, parameter), filterSquares(origin, parameter)];
      if (parameter.shape.length === 1) assert(ours.every((square) => square === 0), parameter.name);
      else assert(relativeError(ours.map(Math.sqrt), own.map(Math.sqrt)) < 1e-12, parameter.name);
      inFilters += ours.reduce((sum, square) => sum + square, 0);
    }
    assert(Math.abs(inFilters / dot(direction, direction) - 1) < 1e-12, "nothing between the parameters");
    assert.deepEqual(view.randomDirection(11, 4), direction);
    for (const other of [view.randomDirection(11, 5), view.randomDirection(12, 4)]) {
      const cosine = dot(other, direction) / dot(direction, direction);
      assert(Math.abs(cosine) < 0.05, `another seed or index gives another direction: ${cosine}`);
    }
  }));

Deno.test("Landscape.largestEigenvalue() of a smooth loss is an eigenvalue, and the loss curves by it", async () => {
  // The loss is smooth, because every LeakyReLU's input is 0.5 with a deviation of 0.05. Differences of the shipped
  // model's gradients cross kinks, so the curvature that they show depends on the place and the step.
  const smooth = new WideResNet(context, model.architecture, 3);
  const start = await smooth.parameters.values.read();
  for (const { name, offset, shape } of smooth.parameters.all) {
    if (/bn\d\./.test(name)) start.fill(name.endsWith("weight") ? 0.05 : 0.5, offset, offset + shape[0]!);
  }
  smooth.parameters.values.write(start);
  const view = await Landscape.of(smooth, images, labels);
  const found = await view.largestEigenvalue(25, 1);
  // This uses another start, and another step for the differences.
  const step = 5e-4 * Math.hypot(...start);
  let vector = Float64Array.from(values(trainableLength, 8));
  let [unit, quotient] = [vector, 0];
  for (let i = 0; i < 20; i++) {
    const length = Math.sqrt(dot(vector, vector));
    unit = vector.map((value) => value / length);
    const ahead = await view.gradientAt([unit], [step]);
    const behind = await view.gradientAt([unit], [-step]);
    vector = ahead.map((g, k) => (g - behind[k]!) / (2 * step));
    quotient = dot(vector, unit);
  }
  const residual = Math.sqrt(dot(vector, vector) - quotient ** 2);
  const slopeAt = (place: number) => slopeOf(view, unit, place, 10 * step);
  const curvature = (await slopeAt(10 * step) - await slopeAt(-10 * step)) / (20 * step);
  assert(residual < 0.05 * quotient, `not an eigenvector: ${residual} of ${quotient} is left`);
  assert(found > 0 && Math.abs(found / quotient - 1) < 0.02, `${found}, not ${quotient}`);
  assert(Math.abs(found / curvature - 1) < 0.02, `the loss curves by ${curvature}, not ${found}`);
});

Deno.test("Landscape.largestEigenvalue() of the shipped model is positive and settles with more iterations", () =>
  inLandscape(async (view) => {
    const [found, later] = [await view.largestEigenvalue(10, 1), await view.largestEigenvalue(18, 1)];
    assert(found > 0 && Math.abs(found / later - 1) < 0.1, `${found}, then ${later}`);
  }));

Deno.test("Landscape.restore() puts every bit back, and nothing moves the running statistics", async () => {
  const state = async () => {
    const vectors = await context.read([parameters.values, runningStatistics.values]);
    return [...vectors.map((vector) => new Uint32Array(vector.buffer)), runningStatistics.batchesTracked];
  };
  const before = await state();
  const view = await Landscape.of(model, images, labels);
  const direction = view.randomDirection(1, 0);
  await view.gradientAt([direction, direction], [0.5, 0.1]);
  await view.largestEigenvalue(1, 2);
  const [moved, ...rest] = await state();
  assert.notDeepEqual(moved, before[0], "the parameters were elsewhere");
  assert.deepEqual(rest, before.slice(1));
  view.restore();
  assert.deepEqual(await state(), before);
});
