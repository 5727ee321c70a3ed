import assert from "node:assert/strict";
import { loadDataset } from "../../src/data/load.ts";
import { Context } from "../../src/tensor/context.ts";
import { modelOnly, serializeCheckpoint } from "../../src/train/checkpoint/checkpoint.ts";
import { readModelFile } from "../../src/train/checkpoint/import.ts";
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
