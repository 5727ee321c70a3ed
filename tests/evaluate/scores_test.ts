import assert from "node:assert/strict";
import { DeviceImages } from "../../src/data/device_images.ts";
import { loadDataset } from "../../src/data/load.ts";
import { batchSize, extractFeatures, FloatImages, type ImageSource } from "../../src/evaluate/features.ts";
import { logDensities, scoreImages } from "../../src/evaluate/scores.ts";
import { evaluation, WideResNet } from "../../src/nn/wide_resnet.ts";
import { Context } from "../../src/tensor/context.ts";
import { sum } from "../../src/tensor/operations/reduce.ts";
import { buildModel } from "../../src/train/build.ts";
import { restoreModel } from "../../src/train/checkpoint/checkpoint.ts";
import { readModelFile } from "../../src/train/checkpoint/import.ts";
import { relativeError, testGpu, values } from "../kernels/harness.ts";

const shipped = new URL("../../data/models/digits.safetensors", import.meta.url);
const checkpoint = await readModelFile(await Deno.readFile(shipped));
const context = new Context(await testGpu());
const model = buildModel(context, checkpoint.configuration, checkpoint.images);
restoreModel(model, checkpoint);
const { classes } = model.architecture;
/** The same network with the energy head, which the shipped one does not use. */
const headed = new WideResNet(context, { ...model.architecture, unconditional: true }, 5);

const dataset = await loadDataset({ name: "digits" });
const all = new DeviceImages(context, dataset, dataset.test);
const [pixels, count] = [64, 2 * batchSize + 3];

/** The first images of the test set, as a separate set. */
const images: ImageSource = { count, range: (start, size) => all.range(start, size) };

/** Random images. The model finds them unlikely, and none of its scores is saturated. */
function noise(size: number, seed: number): FloatImages {
  return new FloatImages(context, values(size * pixels, seed), [8, 8, 1]);
}

/** Logits of a whole set in one batch. */
async function logitsOf(source: ImageSource, net = model): Promise<Float32Array> {
  using batch = source.range(0, source.count);
  using logits = context.scope(() => net.classify(batch, evaluation));
  return await logits.read();
}

/** log Σ exp of a row, and its largest probability, in float64. */
function ofRow(logits: Float32Array, row: number): { logSumExp: number; largest: number } {
  const own = Array.from(logits.subarray(row * classes, (row + 1) * classes));
  const top = Math.max(...own);
  const total = own.reduce((sum, logit) => sum + Math.exp(logit - top), 0);
  return { logSumExp: top + Math.log(total), largest: 1 / total };
}

/** log p̃ of images by the definition, in float64: logsumexp of the logits, or the head's product with the features. */
async function densities(net: WideResNet, source: ImageSource): Promise<Float64Array> {
  if (!net.architecture.unconditional) {
    const logits = await logitsOf(source, net);
    return Float64Array.from({ length: source.count }, (_, row) => ofRow(logits, row).logSumExp);
  }
  using batch = source.range(0, source.count);
  using pooled = context.scope(() => net.features(batch, evaluation));
  const parameter = (name: string) => net.parameters.all.find((one) => one.name === name)!.value.read();
  const [weight, bias] = [await parameter("energy_output.weight"), await parameter("energy_output.bias")];
  const features = await pooled.read();
  return Float64Array.from(
    { length: source.count },
    (_, row) => weight.reduce((sum, w, i) => sum + w * features[row * weight.length + i]!, bias[0]!),
  );
}

/** ∂ log p̃ of one image with respect to each of its pixels, by central differences. Each pixel takes two images. */
async function differences(net: WideResNet, image: Float32Array, step: number): Promise<Float64Array> {
  const moved = new Float32Array(2 * pixels * pixels);
  for (let p = 0; p < pixels; p++) {
    for (const side of [0, 1]) {
      const start = (2 * p + side) * pixels;
      moved.set(image, start);
      moved[start + p]! += side === 0 ? -step : step;
    }
  }
  const found = await densities(net, new FloatImages(context, moved, [8, 8, 1]));
  return Float64Array.from({ length: pixels }, (_, p) => {
    const width = moved[(2 * p + 1) * pixels + p]! - moved[2 * p * pixels + p]!;
    return (found[2 * p + 1]! - found[2 * p]!) / width;
  });
}

Deno.test("scoreImages() gives logsumexp and softmax maximum of the logits, on sets that fill no batch", async () => {
  const progress: number[] = [];
  for (const source of [images, noise(count, 3)]) {
    const { logDensity, confidence, gradientNorm } = await scoreImages(
      model,
      source,
      { progress: (done) => progress.push(done) },
    );
    assert.deepEqual([logDensity.length, confidence.length, gradientNorm.length], [count, count, count]);
    const logits = await logitsOf(source);
    const rows = Array.from({ length: count }, (_, row) => ofRow(logits, row));
    assert(relativeError(logDensity, rows.map((row) => row.logSumExp)) < 1e-6);
    assert(relativeError(confidence, rows.map((row) => row.largest)) < 1e-6);
    assert(gradientNorm.every((norm) => norm < 0), "no image lies where the density is flat");
  }
  assert.deepEqual(progress, [64, 128, 131, 64, 128, 131]);
});

Deno.test("scoreImages() scores the digits above noise: the values are not those of constant scores", async () => {
  const mean = (scores: Float64Array) => scores.reduce((sum, score) => sum + score, 0) / scores.length;
  const [own, other] = [await scoreImages(model, images), await scoreImages(model, noise(count, 3))];
  assert(mean(own.logDensity) > mean(other.logDensity) && mean(own.confidence) > mean(other.confidence));
});

for (const [name, net] of [["logits", model], ["energy head", headed]] as const) {
  Deno.test(`scoreImages() gives minus the length of the differences of log p̃ (${name})`, async () => {
    const mixed = [await images.range(0, 2).read(), await noise(2, 9).range(0, 2).read()];
    const four = Float32Array.from(mixed.flatMap((part) => Array.from(part)));
    const { gradientNorm } = await scoreImages(net, new FloatImages(context, four, [8, 8, 1]));
    for (const [row, norm] of gradientNorm.entries()) {
      const difference = await differences(net, four.subarray(row * pixels, (row + 1) * pixels), 2e-3);
      // The error comes from kinks of the LeakyReLUs within the step (1 % at most) and from log p̃'s rounding divided
      // by the step.
      const error = Math.abs(-norm / Math.hypot(...difference) - 1);
      assert(error < 0.02, `image ${row}: ${-norm}, off by ${error}`);
    }
  });
}

Deno.test("scoreImages() gives minus the norm of each image's own gradient, whatever else is in the batch", async () => {
  const { gradientNorm } = await scoreImages(model, images);
  for (const row of [0, 63, 64, 130]) {
    using image = images.range(row, 1);
    const { value, gradients } = context.differentiate(
      { inputs: [image] },
      () => sum(model.energyScore(image, evaluation)),
    );
    value.dispose();
    using gradient = gradients[0]!;
    const norm = Math.hypot(...await gradient.read());
    assert(Math.abs(gradientNorm[row]! + norm) < 1e-5 * norm, `image ${row}`);
  }
});

Deno.test("scoreImages() takes the density of an unconditional model from its head, not from its logits", async () => {
  const { logDensity, confidence } = await scoreImages(headed, images);
  assert(relativeError(logDensity, await densities(headed, images)) < 1e-5);
  const logits = await logitsOf(images, headed);
  const rows = Array.from({ length: count }, (_, row) => ofRow(logits, row));
  assert(relativeError(logDensity, rows.map((row) => row.logSumExp)) > 0.1, "the logits say otherwise");
  assert(relativeError(confidence, rows.map((row) => row.largest)) < 1e-6);
});

Deno.test("logDensities() gives the log p̃ of scoreImages(), with and without a head", async () => {
  for (const net of [model, headed]) {
    const found = await logDensities(net, images, await extractFeatures(net, images));
    assert(relativeError(found, (await scoreImages(net, images)).logDensity) < 1e-6);
  }
});

Deno.test("FloatImages gives the same images and scores as the DeviceImages that they came from", async () => {
  const whole = await images.range(0, count).read();
  const floats = new FloatImages(context, whole, all.shape);
  assert.equal(floats.count, count);
  for (const [start, size] of [[0, count], [0, 1], [1, 5], [64, 64], [count - 3, 3]] as const) {
    using ours = floats.range(start, size);
    using theirs = images.range(start, size);
    assert.deepEqual(ours.shape, theirs.shape);
    assert.deepEqual(await ours.read(), await theirs.read());
    assert.deepEqual(await ours.read(), whole.slice(start * pixels, (start + size) * pixels));
  }
  assert.deepEqual(await scoreImages(model, floats), await scoreImages(model, images));
});
