import assert from "node:assert/strict";
import { CheckpointError } from "../../src/errors.ts";
import { InceptionV3 } from "../../src/evaluate/inception.ts";
import { softmaxRows } from "../../src/evaluate/probabilities.ts";
import type { HostTensor } from "../../src/formats/pytorch/layout.ts";
import type { NamedTensor } from "../../src/formats/safetensors.ts";
import { parseSafetensors } from "../../src/formats/safetensors.ts";
import { Context } from "../../src/tensor/context.ts";
import { testGpu } from "../kernels/harness.ts";
import { inputTensor } from "./comparison.ts";
import { formulaWeights } from "./formula_weights.ts";
import { GoldenFile, goldenFiles } from "./golden_file.ts";
import { Verdicts } from "./verdict.ts";

for (const path of goldenFiles(/^fid_inception\.safetensors$/)) {
  Deno.test("golden Inception-v3 of the Fréchet inception distance", async () => {
    const file = new GoldenFile(path);
    const verdicts = new Verdicts(file);
    const context = new Context(await testGpu());
    const tensors = formulaWeights();
    checkWeights(path, tensors);
    using network = new InceptionV3(context, tensors);
    const pixels = file.tensor("images");
    const images = inputTensor(context, { ...pixels, data: pixels.data.map((value) => value / 255) });
    const observed = new Map<string, { shape: readonly number[]; data: Promise<Float32Array> }>();
    const { pool3, logits, unbiasedLogits } = network.features(images, (name, value) => {
      observed.set(name, { shape: value.shape, data: value.read() });
    });
    for (const [name, { shape, data }] of observed) {
      const intermediate = { shape, data: await data };
      if (name === "resized") verdicts.compare("resized.probe", probe(intermediate), "smooth");
      else compareBlock(verdicts, name, intermediate);
    }
    const [poolValues, logitValues] = await context.read([pool3, logits]);
    verdicts.compare("pool3", { shape: pool3.shape, data: poolValues! }, "smooth");
    verdicts.compare("logits", { shape: logits.shape, data: logitValues! }, "smooth");
    const softmax = Float32Array.from(softmaxRows(logitValues!, logits.shape[1]!));
    verdicts.compare("softmax", { shape: logits.shape, data: softmax }, "smooth");
    verdicts.conclude();
    const bias = new Float32Array(tensors.get("fc.bias")!.data.buffer as ArrayBuffer);
    const unbiased = await unbiasedLogits.read();
    unbiased.forEach((value, i) => assert(Math.abs(value + bias[i % 1008]! - logitValues![i]!) < 1e-5));
  });
}

Deno.test("Inception-v3 names the tensor that a state dict lacks, or that has another shape", async () => {
  const context = new Context(await testGpu());
  const none: NamedTensor = { dtype: "F32", shape: [], data: new Uint8Array() };
  const refusal = (tensors: Map<string, NamedTensor>) => {
    try {
      new InceptionV3(context, tensors);
    } catch (error) {
      assert(error instanceof CheckpointError);
      return error.message;
    }
    return undefined;
  };
  assert.equal(
    refusal(new Map()),
    "Inception-v3 for FID: tensor Conv2d_1a_3x3.conv.weight is missing",
  );
  assert.equal(
    refusal(new Map([["Conv2d_1a_3x3.conv.weight", { ...none, shape: [32, 3, 5, 5] }]])),
    "Inception-v3 for FID: tensor Conv2d_1a_3x3.conv.weight is [32,3,5,5], not [32,3,3,3]",
  );
});

/** Compares the weights with the sum, first and last value that the file gives for some of them. */
function checkWeights(path: string, tensors: ReadonlyMap<string, NamedTensor>): void {
  const { metadata } = parseSafetensors(Deno.readFileSync(path));
  const checks: Record<string, [number, number, number]> = JSON.parse(metadata["weight_check"] ?? "{}");
  for (const [name, [sum, first, last]] of Object.entries(checks)) {
    const data = new Float32Array(tensors.get(name)!.data.buffer as ArrayBuffer);
    assert.deepEqual([data[0], data.at(-1)], [first, last], name);
    assert(Math.abs(data.reduce((total, value) => total + value, 0) - sum) < 1e-9 * data.length, name);
  }
}

/** Every 37th row and 41st column, in PyTorch's layout and before the scaling to [-1, 1]. */
function probe({ shape: [batch = 0, height = 0, width = 0, channels = 0], data }: HostTensor): HostTensor {
  const [rows, columns] = [Math.ceil(height / 37), Math.ceil(width / 41)];
  const shape = [batch, channels, rows, columns];
  const values = Float32Array.from({ length: batch * channels * rows * columns }, (_, i) => {
    const y = Math.floor(i / columns) % rows * 37;
    const x = i % columns * 41;
    const plane = Math.floor(i / (rows * columns));
    const pixel = (Math.floor(plane / channels) * height + y) * width + x;
    return (data[pixel * channels + plane % channels]! + 1) / 2;
  });
  return { shape, data: values };
}

/** Compares a block's mean and standard deviation over space, and its first and last pixel. */
function compareBlock(verdicts: Verdicts, name: string, { shape, data }: HostTensor): void {
  const [batch = 0, height = 0, width = 0, channels = 0] = shape;
  const pixels = height * width;
  const perChannel = (value: (at: (pixel: number) => number) => number): HostTensor => ({
    shape: [batch, channels],
    data: Float32Array.from({ length: batch * channels }, (_, i) => {
      const start = Math.floor(i / channels) * pixels;
      return value((pixel) => data[(start + pixel) * channels + i % channels]!);
    }),
  });
  const meanOf = (at: (pixel: number) => number) => {
    let sum = 0;
    for (let pixel = 0; pixel < pixels; pixel++) sum += at(pixel);
    return sum / pixels;
  };
  const deviationOf = (at: (pixel: number) => number) => {
    const mean = meanOf(at);
    return Math.sqrt(meanOf((pixel) => (at(pixel) - mean) ** 2));
  };
  verdicts.compare(`${name}.mean`, perChannel(meanOf), "smooth");
  verdicts.compare(`${name}.std`, perChannel(deviationOf), "smooth");
  verdicts.compare(`${name}.corner`, perChannel((at) => at(0)), "smooth");
  verdicts.compare(`${name}.last`, perChannel((at) => at(pixels - 1)), "smooth");
}
