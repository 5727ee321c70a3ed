import assert from "node:assert/strict";
import { DeviceImages } from "../../src/data/device_images.ts";
import { loadDataset } from "../../src/data/load.ts";
import { oneProcess } from "../../src/distributed/communicator.ts";
import { frechetDistance, gaussianStatistics } from "../../src/evaluate/frechet.ts";
import { inceptionScore } from "../../src/evaluate/generation.ts";
import { softmaxRows } from "../../src/evaluate/probabilities.ts";
import type { FidConvention, InceptionOptions, Subject } from "../../src/report/question.ts";
import { inceptionExtractor, inceptionResults } from "../../src/report/questions/inception.ts";
import { Context } from "../../src/tensor/context.ts";
import { linear } from "../../src/tensor/operations/linear.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { buildModel } from "../../src/train/build.ts";
import type { Checkpoint } from "../../src/train/checkpoint/checkpoint.ts";
import { readModelFile } from "../../src/train/checkpoint/import.ts";
import { processesInOne } from "../distributed/processes_in_one.ts";
import { testGpu, values } from "../kernels/harness.ts";

const shipped = new URL("../../data/models/digits.safetensors", import.meta.url);
const checkpoint: Checkpoint = await readModelFile(await Deno.readFile(shipped));
const context = new Context(await testGpu());
const dataset = await loadDataset({ name: "digits", limit: 150 });
const train = new DeviceImages(context, dataset, dataset.train);
const test = new DeviceImages(context, dataset, dataset.test);
const subject = {
  communicator: oneProcess,
  model: buildModel(context, checkpoint.configuration, checkpoint.images),
  checkpoint,
  dataset,
  train,
  test,
} as Subject;
const [pixels, features, samples, classes] = [64, 6, 200, 10];

const weight = values(3 * pixels * features, 5);
const seen: number[] = [];

/** The features are six fixed products of the pixels. The probabilities depend on the brightest of ten pixels. */
const network = {
  features(images: Tensor) {
    const flat = images.reshape([images.shape[0]!, 3 * pixels]);
    seen.push(images.shape[0]!);
    const pool3 = linear(flat, context.from(weight, [3 * pixels, features]), context.zeros([features]));
    const choice = new Float32Array(3 * pixels * classes);
    for (let c = 0; c < classes; c++) choice[(3 * c + 18) * classes + c] = 20;
    const logits = linear(flat, context.from(choice, [3 * pixels, classes]), context.zeros([classes]));
    return { pool3, logits: context.zeros(logits.shape), unbiasedLogits: logits };
  },
};

const options = (convention: FidConvention): InceptionOptions => ({
  network,
  convention,
  statistics: undefined,
  keep: () => Promise.resolve(),
});

/** Samples of ten classes, with the model's logits. Each class lights a pixel of its own. */
const images = values(samples * pixels, 7, -1, -0.5);
const logits = new Float32Array(samples * classes);
for (let i = 0; i < samples; i++) {
  images[i * pixels + 6 + i % classes] = 1;
  logits[i * classes + i % classes] = 5 + i / samples;
}
const judge = (convention: InceptionOptions, progress: (share: number) => void = () => {}) =>
  inceptionResults(subject, images, logits, convention, 1, progress);

/** The fixed products, in float64, of images in [−1, 1] in the form that the network must see. */
function products(data: Float32Array, scale: (value: number) => number): Float32Array {
  const count = data.length / pixels;
  const found = new Float32Array(count * features);
  for (let i = 0; i < count; i++) {
    for (let f = 0; f < features; f++) {
      let sum = 0;
      for (let k = 0; k < 3 * pixels; k++) {
        sum += scale(data[i * pixels + Math.floor(k / 3)]!) * weight[k * features + f]!;
      }
      found[i * features + f] = sum;
    }
  }
  return found;
}

/** The 18 most certain of each class's 20 samples. */
function chosen(): Float32Array {
  const rows: number[] = [];
  for (let c = 0; c < classes; c++) for (let k = 2; k < 20; k++) rows.push(c + k * classes);
  return Float32Array.from(rows.flatMap((row) => [...images.subarray(row * pixels, (row + 1) * pixels)]));
}

const byte = (value: number) => Math.round((value + 1) * 127.5) / 255;

Deno.test("inceptionResults() by today's convention: 8-bit samples against the training images", async () => {
  const shares: number[] = [];
  const { fid, fidImages, kid, convention, description } = await judge(
    options("current"),
    (share) => shares.push(share),
  );
  const real = await train.range(0, train.count).read();
  const expected = frechetDistance(
    await gaussianStatistics(products(real, byte), features),
    await gaussianStatistics(products(chosen(), byte), features),
  );
  assert(Math.abs(fid / expected - 1) < 1e-4, `${fid}, not ${expected}`);
  assert(kid && kid.mean > 0);
  assert.deepEqual([fidImages, convention], [180, "current"]);
  assert.match(description, /the 150 training images; 8-bit samples; .*PyTorch's grid.*as pytorch-fid/);
  assert.equal(shares.at(-1), 1);
});

Deno.test("inceptionResults() by the official convention: samples as they are against all images", async () => {
  const { fid, description } = await judge(options("official"));
  const parts = [await train.range(0, train.count).read(), await test.range(0, test.count).read()];
  const real = Float32Array.from(parts.flatMap((part) => [...part]));
  const unrounded = (value: number) => (value + 1) / (2 + 1e-5);
  const expected = frechetDistance(
    await gaussianStatistics(products(real, byte), features),
    await gaussianStatistics(products(chosen(), unrounded), features),
  );
  assert(Math.abs(fid / expected - 1) < 1e-4, `${fid}, not ${expected}`);
  assert.match(description, /the 510 training and test images; samples not rounded .*TensorFlow 1's grid/);
});

Deno.test("inceptionResults() takes the Inception Score of all classes' surest samples together", async () => {
  const { inceptionScore: score, inceptionScoreInterval: interval, inceptionScoreImages } = await judge(
    options("current"),
  );
  assert.equal(inceptionScoreImages, 20);
  // Twenty samples that almost certainly belong to ten classes, two of each.
  const rows = new Float32Array(20 * classes);
  for (let c = 0; c < classes; c++) {
    for (const k of [18, 19]) {
      for (let y = 0; y < classes; y++) {
        rows[(2 * c + k - 18) * classes + y] = 20 * byte(images[(c + k * classes) * pixels + 6 + y]!);
      }
    }
  }
  const expected = inceptionScore(softmaxRows(rows, classes), classes, 1).mean;
  const [low, high] = interval!;
  assert(low <= score!.mean && score!.mean <= high && high - low > 0.1, `${low}–${high}`);
  assert(expected > 9 && Math.abs(score!.mean / expected - 1) < 1e-4, `${score!.mean}, not ${expected}`);
});

Deno.test("inceptionResults() with statistics from a file looks at no real image, names the file, and has no KID", async () => {
  let kept: Parameters<InceptionOptions["keep"]>[0] | undefined;
  const whole = await judge({
    ...options("current"),
    keep: (statistics) => (kept = statistics, Promise.resolve()),
  });
  seen.length = 0;
  const again = await judge({ ...options("current"), statistics: { values: kept!, file: "train.npz" } });
  assert.equal(seen.reduce((sum, count) => sum + count, 0), 180);
  assert.deepEqual([again.fid, again.kid], [whole.fid, undefined]);
  assert.match(again.description, /against the statistics in train\.npz;/);
});

Deno.test("inceptionExtractor() computes a set's features once, for FID and for what else needs them", async () => {
  const extract = inceptionExtractor(subject, options("current"));
  seen.length = 0;
  const first = await inceptionResults(subject, images, logits, options("current"), 1, () => {}, extract);
  const { pool3, dimension } = await extract(train, "8-bit");
  assert.equal(seen.reduce((sum, count) => sum + count, 0), 180 + 150);
  assert.deepEqual([pool3.length, dimension], [150 * features, features]);
  assert.deepEqual(first, await judge(options("current")));
  seen.length = 0;
  await extract(train, "unrounded");
  assert.equal(seen.reduce((sum, count) => sum + count, 0), 150, "other pixels have other features");
});

Deno.test("inceptionResults() divided among ranks are those of one process", async () => {
  const whole = await judge(options("official"));
  const results = await Promise.all(
    processesInOne(3).map((communicator) =>
      inceptionResults({ ...subject, communicator }, images, logits, options("official"), 1, () => {})
    ),
  );
  for (const result of results) assert.deepEqual(result, whole);
});
