import assert from "node:assert/strict";
import { type Dataset, selectImages } from "../../src/data/dataset.ts";
import { DeviceImages } from "../../src/data/device_images.ts";
import { StreamedImages } from "../../src/data/streamed_images.ts";
import { divide, missingClasses } from "../../src/data/subsets.ts";
import { constantImages, interpolatedImages, noiseImages } from "../../src/data/synthetic.ts";
import { DataError } from "../../src/errors.ts";
import { Context } from "../../src/tensor/context.ts";
import { testGpu } from "../kernels/harness.ts";

/** Images of 3×3 pixels whose bytes encode the image and the position. */
function dataset(count: number, classes = 4): Dataset {
  const set = (count: number, offset: number) => ({
    bytes: Uint8Array.from(
      { length: count * 9 },
      (_, i) => (Math.floor(i / 9) * 29 + i % 9 * 5 + offset) % 256,
    ),
    labels: Uint32Array.from({ length: count }, (_, i) => i * i % 7 % classes),
    count,
  });
  return {
    name: "test",
    height: 3,
    width: 3,
    channels: 1,
    maximum: 255,
    classNames: Array.from({ length: classes }, (_, i) => `${i}`),
    train: set(count, 0),
    test: set(250, 3),
    augmentation: { padding: 1, flip: true },
  };
}

Deno.test("divide() holds images out and keeps a number of labels of each class, without overlap", () => {
  const data = dataset(200, 3);
  const whole = divide(data, { validationCount: 0, labelsPerClass: null });
  assert.deepEqual([...whole.training], [...Array(200).keys()]);
  assert.deepEqual([whole.labelled, whole.validation.length], [whole.training, 0]);

  const { training, labelled, validation } = divide(data, { validationCount: 50, labelsPerClass: 7 });
  assert.deepEqual([...training, ...validation].toSorted((a, b) => a - b), [...Array(200).keys()]);
  assert.deepEqual([training.length, validation.length, labelled.length], [150, 50, 21]);
  assert(labelled.every((index) => training.includes(index)));
  for (const label of [0, 1, 2]) {
    assert.equal(labelled.filter((index) => data.train.labels[index] === label).length, 7);
  }
  assert.deepEqual(divide(data, { validationCount: 50, labelsPerClass: 7 }).labelled, labelled);
  assert.notDeepEqual([...validation], [...Array(50).keys()], "held out at random");
  for (const label of [0, 1, 2]) {
    const count = validation.filter((index) => data.train.labels[index] === label).length;
    const all = data.train.labels.filter((other) => other === label).length;
    assert(Math.abs(count - all / 4) < 1, `${count} of ${all} of class ${label} are held out`);
  }
});

Deno.test("divide() says what is missing", () => {
  const refused = (
    options: { validationCount: number; labelsPerClass: number | null },
    message: RegExp,
    classes = 3,
  ) =>
    assert.throws(
      () => divide(dataset(30, classes), options),
      (error) => error instanceof DataError && message.test(error.message),
    );
  refused(
    { validationCount: 30, labelsPerClass: null },
    /validationCount 30 leaves none of 30 training images/,
  );
  refused(
    { validationCount: 0, labelsPerClass: 20 },
    /\d+ training images of class \d, where at least 20 are needed/,
  );
  const all = { validationCount: 0, labelsPerClass: null };
  assert.equal(divide(dataset(30, 3), all).labelled.length, 30);
  refused(all, /0 training images of class 3, where at least 1 are needed/, 4);
  assert.deepEqual(missingClasses(dataset(30)), [
    "test: no training images of class 3",
    "test: no test images of class 3",
  ]);
  const data = dataset(30, 3);
  assert.throws(
    () => divide({ ...data, classNames: ["a", "b"] }, all),
    { name: "DataError", message: "test: image 3 has label 2, expected one below 2" },
  );
});

Deno.test("selectImages() copies images with their labels", () => {
  const data = dataset(20, 3);
  const { bytes, labels, count } = selectImages(data.train, Uint32Array.of(3, 17));
  assert.deepEqual([...bytes], [
    ...data.train.bytes.subarray(27, 36),
    ...data.train.bytes.subarray(153, 162),
  ]);
  assert.deepEqual([count, [...labels]], [2, [data.train.labels[3], data.train.labels[17]]]);
});

Deno.test("DeviceImages expands images from several buffers, and StreamedImages the same ones", async () => {
  const context = new Context(await testGpu());
  const data = dataset(66_000, 3);
  const images = new DeviceImages(context, data, data.train);
  assert.deepEqual(images.buffers.map(({ first, count }) => [first, count]), [[0, 65_535], [65_535, 465]]);
  const indices = Uint32Array.of(0, 65_534, 65_535, 65_999, 7);
  const crops = context.from(Uint32Array.of(0, 1 | 2 << 8, 2, 1 << 16, 2 << 8 | 1 << 16), [5]);
  const streamed = new StreamedImages(context, data, 5);
  streamed.upload(indices);
  const tensor = context.from(indices, [5]);
  const plain = await images.expand(tensor).read();
  plain.forEach((value, i) => {
    const byte = data.train.bytes[indices[Math.floor(i / 9)]! * 9 + i % 9]!;
    assert(Math.abs(value - (byte / 255 * 2 - 1)) < 2e-7);
  });
  assert.deepEqual(await streamed.expand().read(), plain);
  const crop = { padding: 1, crops };
  assert.deepEqual(await streamed.expand(crop).read(), await images.expand(tensor, crop).read());
});

Deno.test("noiseImages(), constantImages() and interpolatedImages() are what they are called", () => {
  const format = { height: 4, width: 5, channels: 3, maximum: 16 };
  const noise = noiseImages(format, 200, 1);
  assert.deepEqual([noise.bytes.length, noise.count, noise.labels.length], [200 * 60, 200, 200]);
  const mean = noise.bytes.reduce((sum, value) => sum + value, 0) / noise.bytes.length;
  // Of 17 values, the deviation is 4.9, so the mean of 12,000 has a standard error of 0.045. The bound is five of them.
  assert(Math.abs(mean - 8) < 0.23 && Math.max(...noise.bytes) === 16);
  assert.notDeepEqual(noiseImages(format, 200, 2).bytes, noise.bytes);

  const constant = constantImages(format, 50, 1);
  for (let i = 0; i < 50; i++) {
    const image = constant.bytes.subarray(i * 60, (i + 1) * 60);
    assert(image.every((value, k) => value === image[k % 3]));
  }
  assert(new Set(constant.bytes).size > 10);

  const data = dataset(20, 3);
  const mixed = interpolatedImages(data);
  assert.equal(mixed.count, 150);
  const { bytes } = data.test;
  assert(mixed.bytes.every((value, i) => value === Math.floor((bytes[i]! + bytes[i + 900]! + 1) / 2)));
});

Deno.test("interpolatedImages() mixes the classes of a folder, whose pictures come class after class", () => {
  // Two images of one class are mixed as often as chance predicts: in a quarter of the pairs, with four classes of 100.
  const labels = Uint32Array.from({ length: 400 }, (_, i) => Math.floor(i / 100));
  const bytes = Uint8Array.from({ length: 3600 }, (_, i) => 2 * 4 ** labels[Math.floor(i / 9)]!);
  const folder = { ...dataset(20, 4), name: "images", test: { bytes, labels, count: 400 } };
  const alike = (data: Dataset) => {
    const mixed = interpolatedImages(data);
    return Array.from({ length: mixed.count }, (_, i) => mixed.bytes[9 * i]!)
      .filter((value) => [2, 8, 32, 128].includes(value)).length / mixed.count;
  };
  // With 300 pairs, the deviation is 0.025. The bound is four of them.
  assert(Math.abs(alike(folder) - 0.25) < 0.1, `${alike(folder)}`);
  assert.equal(alike({ ...folder, name: "test" }), 0, "an official order is left as it is");
});
