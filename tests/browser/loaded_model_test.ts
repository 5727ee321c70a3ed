import assert from "node:assert/strict";
import { loadDataset } from "../../src/data/load.ts";
import { Context } from "../../src/tensor/context.ts";
import { modelOnly, serializeCheckpoint } from "../../src/train/checkpoint/checkpoint.ts";
import { withStarts } from "../../src/train/carried_starts.ts";
import { readModelFile } from "../../src/train/checkpoint/import.ts";
import { fitClassGaussians } from "../../src/train/class_gaussians.ts";
import type { ChainFrame } from "../../web/worker/calls.ts";
import { Chains } from "../../web/worker/chains.ts";
import { LoadedModel } from "../../web/worker/loaded_model.ts";
import { testGpu } from "../kernels/harness.ts";
import { shippedModel } from "./page_helpers.ts";

Deno.test("LoadedModel.open() matches a model's classes with the digits', and refuses others", async () => {
  const context = new Context(await testGpu());
  const shipped = modelOnly(await readModelFile(await shippedModel()));
  const digits = await loadDataset({ name: "digits" });
  const open = async (classNames: readonly string[]) => {
    const bytes = await serializeCheckpoint({ ...shipped, images: { ...shipped.images, classNames } });
    return LoadedModel.open(context, "x.safetensors", bytes, () => Promise.resolve(digits));
  };
  const turned = await open([..."1234567890"]);
  const [image, label] = [turned.testImage(3), digits.test.labels[3]!];
  assert.equal(turned.summary.classNames[image.label], `${label}`);
  await assert.rejects(open([..."abcdefghij"]), {
    name: "DataError",
    message: /^digits: the data's classes \(0, 1, .*\) are not the model's \(a, b, c, d, e, f and 4 more\)$/,
  });
});

Deno.test("a model whose data the page does not have starts its chains at noise or its replay buffer", async () => {
  const context = new Context(await testGpu());
  const shipped = modelOnly(await readModelFile(await shippedModel()));
  const configuration = { ...shipped.configuration, dataset: "mnist" } as const;
  const bytes = await serializeCheckpoint({ ...shipped, configuration });
  const none = () => Promise.reject(new Error("the digits are not asked for"));
  const model = await LoadedModel.open(context, "mnist-28.safetensors", bytes, none);
  assert.deepEqual(model.summary.starts.filter((start) => start !== "buffer"), ["noise"]);
  assert.equal(model.summary.reference, undefined);
  const frames: ChainFrame[] = [];
  const settings = { count: 4, steps: 1, seed: 1, stepSize: 0.1, noiseScale: 0, label: undefined } as const;
  const signal = new AbortController().signal;
  for (const start of model.summary.starts) {
    await new Chains().run(model, { ...settings, start }, (frame) => frames.push(frame), signal);
  }
  assert.equal(frames.length, 2 * model.summary.starts.length);
  for (const { images } of frames) assert.ok(images.every(Number.isFinite));

  // If the model file contains Gaussians, they are starts as well.
  const gaussians = fitClassGaussians(await loadDataset({ name: "digits" }), { rank: 4 });
  const carrying = await serializeCheckpoint(withStarts({ ...shipped, configuration }, gaussians));
  const another = await LoadedModel.open(context, "mnist-28.safetensors", carrying, none);
  assert.equal(another.summary.starts[0], "informative");
  await new Chains().run(another, { ...settings, start: "informative" }, ({ images }) => {
    assert.ok(images.every(Number.isFinite));
  }, signal);
});
