import assert from "node:assert/strict";
import { loadDataset } from "../../src/data/load.ts";

Deno.test("loadDataset() loads the digits that come with the project", async () => {
  const { name, train, test } = await loadDataset({ name: "digits" });
  assert.deepEqual([name, train.count, test.count], ["digits", 1437, 360]);
});

Deno.test("loadDataset() draws a limited number of training images, ever more of the same, not of test images", async () => {
  const whole = await loadDataset({ name: "digits", folder: null, limit: null });
  const { train, test } = await loadDataset({ name: "digits", limit: 100 });
  assert.deepEqual([train.count, train.labels.length, train.bytes.length, test], [
    100,
    100,
    6400,
    whole.test,
  ]);
  for (let digit = 0; digit < 10; digit++) {
    const [part, all] = [train, whole.train].map(({ labels }) => labels.filter((l) => l === digit).length);
    assert(Math.abs(part! - all! * 100 / 1437) < 1, `${part} images of ${digit}`);
  }
  const imagesOf = ({ bytes, count }: { bytes: Uint8Array; count: number }) =>
    new Set(Array.from({ length: count }, (_, i) => bytes.slice(i * 64, (i + 1) * 64).join()));
  const more = imagesOf((await loadDataset({ name: "digits", limit: 150 })).train);
  assert(imagesOf(train).isSubsetOf(more) && more.isSubsetOf(imagesOf(whole.train)));
  assert.deepEqual((await loadDataset({ name: "digits", limit: 5000 })).train, whole.train);
});

Deno.test("loadDataset() says what is missing", async () => {
  await assert.rejects(loadDataset({ name: "digits", folder: "/nonexistent" }), {
    name: "DataError",
    message: "digits: no file /nonexistent/digits.csv.gz",
  });
  await assert.rejects(loadDataset({ name: "images" }), {
    name: "DataError",
    message:
      /images: give the folder of pictures \(--set dataFolder=PATH in training, else --data-folder PATH\)/,
  });
  for (const name of ["mnist", "fashion-mnist", "cifar10", "cifar100", "svhn"] as const) {
    await assert.rejects(loadDataset({ name, folder: "/nonexistent" }), {
      name: "DataError",
      message: new RegExp(`^${name}: no .*"./run data ${name}" downloads it`),
    });
  }
  await assert.rejects(loadDataset({ name: "cifar100", folder: "/nonexistent", limit: 3 }), {
    name: "DataError",
    message: /cifar100: no test\.bin/,
  });
});
