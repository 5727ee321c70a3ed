import assert from "node:assert/strict";
import { loadDataset } from "../../src/data/load.ts";

Deno.test("loadDataset() loads the digits that come with the project", async () => {
  const { name, train, test } = await loadDataset({ name: "digits" });
  assert.deepEqual([name, train.count, test.count], ["digits", 1437, 360]);
});

Deno.test("loadDataset() limits the training images, not the test images", async () => {
  const whole = await loadDataset({ name: "digits", folder: null, limit: null });
  const { train, test } = await loadDataset({ name: "digits", limit: 100 });
  assert.deepEqual(train, {
    bytes: whole.train.bytes.slice(0, 6400),
    labels: whole.train.labels.slice(0, 100),
    count: 100,
  });
  assert.equal(test.count, 360);
});

Deno.test("loadDataset() says what is missing", async () => {
  await assert.rejects(loadDataset({ name: "digits", folder: "/nonexistent" }), {
    name: "DataError",
    message: "digits: no file /nonexistent/digits.csv.gz",
  });
  await assert.rejects(loadDataset({ name: "images" }), {
    name: "DataError",
    message: /images: give the folder of pictures \(--set dataFolder=PATH\)/,
  });
  for (const name of ["mnist", "fashion-mnist", "cifar10", "cifar100", "svhn"] as const) {
    await assert.rejects(loadDataset({ name, folder: "/nonexistent" }), {
      name: "DataError",
      message: new RegExp(`^${name}: no .*"deno task data ${name}" downloads it`),
    });
  }
  await assert.rejects(loadDataset({ name: "cifar100", folder: "/nonexistent", limit: 3 }), {
    name: "DataError",
    message: /cifar100: no test\.bin/,
  });
});
