import assert from "node:assert/strict";
import type { Dataset } from "../../src/data/dataset.ts";
import { divide } from "../../src/data/subsets.ts";
import { Context } from "../../src/tensor/context.ts";
import { residentImages } from "../../src/train/build.ts";
import { preset } from "../../src/train/presets.ts";
import { testGpu } from "../kernels/harness.ts";

Deno.test("residentImages() keeps a share of each class's labelled images where not all fit", async () => {
  const context = new Context(await testGpu());
  // Images come class by class, as in a folder. Each image's bytes are its number.
  const labels = Uint32Array.from({ length: 200 }, (_, i) => Math.floor(i / 50));
  const bytes = Uint8Array.from({ length: 200 * 16 }, (_, i) => Math.floor(i / 16));
  const dataset: Dataset = {
    name: "images",
    height: 4,
    width: 4,
    channels: 1,
    maximum: 255,
    classNames: ["a", "b", "c", "d"],
    train: { bytes, labels, count: 200 },
    test: { bytes, labels, count: 200 },
    augmentation: { padding: 0, flip: false },
  };
  const subsets = divide(dataset, { validationCount: 20, labelsPerClass: 30 });
  const resident = (images: number) =>
    residentImages(
      context,
      dataset,
      { ...preset("digits"), residentMebibytes: images * 16 / 2 ** 20 },
      subsets,
    );
  const all = resident(200);
  assert.deepEqual([all.images.count, all.labelled], [200, subsets.labelled]);

  const { images, labelled } = resident(40);
  assert.deepEqual([images.count, [...labelled]], [40, [...Array(40).keys()]]);
  assert.deepEqual([0, 1, 2, 3].map((label) => images.labels.filter((other) => other === label).length), [
    10,
    10,
    10,
    10,
  ]);
  const pixels = await images.range(0, 40).read();
  for (let i = 0; i < 40; i++) {
    const number = Math.round((pixels[16 * i]! + 1) / 2 * 255);
    assert(subsets.labelled.includes(number) && images.labels[i] === labels[number]);
  }
});
