import assert from "node:assert/strict";
import { DeviceImages } from "../../src/data/device_images.ts";
import { loadDataset } from "../../src/data/load.ts";
import { attackBatch, attackImages, type Defence, PlainDefence } from "../../src/evaluate/attack.ts";
import { type PurificationOptions, PurifyingDefence } from "../../src/evaluate/purification.ts";
import { generate } from "../../src/jem/generate.ts";
import { unconditionalScore } from "../../src/jem/score.ts";
import { evaluation } from "../../src/nn/wide_resnet.ts";
import { streamWords } from "../../src/random/philox.ts";
import { Context } from "../../src/tensor/context.ts";
import { linear } from "../../src/tensor/operations/linear.ts";
import { sum } from "../../src/tensor/operations/reduce.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { buildModel } from "../../src/train/build.ts";
import { restoreModel } from "../../src/train/checkpoint/checkpoint.ts";
import { readModelFile } from "../../src/train/checkpoint/import.ts";
import { processesInOne } from "../distributed/processes_in_one.ts";
import { relativeError, testGpu, values } from "../kernels/harness.ts";

const shipped = new URL("../../data/models/digits.safetensors", import.meta.url);
const checkpoint = await readModelFile(await Deno.readFile(shipped));
const context = new Context(await testGpu());
const model = buildModel(context, checkpoint.configuration, checkpoint.images);
restoreModel(model, checkpoint);
const dataset = await loadDataset({ name: "digits" });
const test = new DeviceImages(context, dataset, dataset.test);
const plain = new PlainDefence(model);
const [pixels, classes] = [64, 10];
const single = { attackReplicas: 1, verificationReplicas: 1 };
const chain = { steps: 2, stepSize: 1, noiseScale: 0.1, seed: 4 };
const options: PurificationOptions = { ...chain, attackReplicas: 3, verificationReplicas: 5 };
const attack = { norm: "linf" as const, radius: 0.1, stepSize: 0.04, steps: 4, restarts: 1, seed: 2 };

/** The numbers from 0 to `count` − 1. */
const first = (count: number) => Uint32Array.from({ length: count }, (_, i) => i);

/** Images of the test set that noise makes hard to classify, with their labels. */
async function hardImages(count: number, noise: number): Promise<[Tensor, Uint32Array]> {
  using clean = test.range(0, count);
  const disturbance = values(count * pixels, 6, -noise, noise);
  const hard = (await clean.read()).map((x, i) => Math.min(1, Math.max(-1, x + disturbance[i]!)));
  return [context.from(hard, clean.shape), test.labels.subarray(0, count)];
}

/** Copies of images after SGLD: all images once, then all again. The noise comes from the streams from `first` on. */
async function purified(
  images: Float32Array,
  { steps, stepSize, noiseScale, seed }: PurificationOptions,
  replicas: number,
  first: number,
): Promise<Tensor> {
  const length = replicas * images.length;
  const copies = Float32Array.from({ length }, (_, i) => images[i % images.length]!);
  const chains = context.from(copies, [length / pixels, 8, 8, 1]);
  const streamOf = (step: number) => streamWords(seed, first + step);
  await generate(unconditionalScore(model), chains, { steps, stepSize, noiseScale }, streamOf);
  return chains;
}

/** The mean logits of the replicas of each image. */
async function meanLogits(chains: Tensor, replicas: number): Promise<Float64Array> {
  const logits = await context.scope(() => model.classify(chains, evaluation)).read();
  const mean = new Float64Array(logits.length / replicas);
  logits.forEach((logit, i) => mean[i % mean.length]! += logit / replicas);
  return mean;
}

function isRight(logits: Float64Array, labels: Uint32Array): boolean[] {
  return Array.from(labels, (label, i) => {
    const row = logits.subarray(i * classes, (i + 1) * classes);
    return row.indexOf(Math.max(...row)) === label;
  });
}

Deno.test("PurifyingDefence without steps and with one replica is the PlainDefence", async () => {
  const [images, labels] = await hardImages(20, 1);
  const idle = new PurifyingDefence(model, { ...options, ...single, steps: 0 });
  const one = await plain.evaluate(images, labels);
  const other = await idle.evaluate(images, labels);
  assert.deepEqual(one.correct, other.correct);
  assert(one.correct.includes(true) && one.correct.includes(false));
  assert(relativeError(await other.gradient.read(), await one.gradient.read()) < 1e-5);
});

Deno.test("PurifyingDefence.evaluate() averages the gradients by the purified replicas, taken one by one", async () => {
  const [count, { attackReplicas }] = [6, options];
  const [images, labels] = await hardImages(count, 0.3);
  const defence = new PurifyingDefence(model, options);
  // The second call draws different noise from the first.
  for (const first of [0, options.steps]) {
    const { correct, gradient } = await defence.evaluate(images, labels);
    const chains = await purified(await images.read(), options, attackReplicas, first);
    const mean = await meanLogits(chains, attackReplicas);
    assert.deepEqual(correct, isRight(mean, labels));
    assert(!correct.includes(false), "nothing to verify, which would draw noise in between");
    const ends = await chains.read();
    const expected = new Float64Array(count * pixels);
    for (let i = 0; i < attackReplicas * count; i++) {
      const image = i % count;
      const powers = mean.subarray(image * classes, (image + 1) * classes).map(Math.exp);
      const total = powers.reduce((a, b) => a + b);
      // The gradient of the loss of the mean logits with respect to the logits of one replica, which have weight 1 /
      // replicas.
      const byLogits = powers.map((power, c) =>
        (power / total - Number(c === labels[image])) / attackReplicas
      );
      const replica = context.from(ends.slice(i * pixels, (i + 1) * pixels), [1, 8, 8, 1]);
      const weights = context.from(Float32Array.from(byLogits), [classes, 1]);
      const score = () => sum(linear(model.classify(replica, evaluation), weights, context.zeros([1])));
      const { gradients } = context.differentiate({ inputs: [replica] }, score);
      (await gradients[0]!.read()).forEach((g, p) => expected[image * pixels + p]! += g / attackReplicas);
    }
    assert(relativeError(await gradient.read(), expected) < 1e-4);
  }
});

Deno.test("PurifyingDefence.evaluate() lets verification overturn a first verdict", async () => {
  const count = 24;
  const noisy = { ...options, noiseScale: 0.7, attackReplicas: 1, verificationReplicas: 40 };
  const [images, labels] = await hardImages(count, 0.9);
  const original = await images.read();
  const { correct } = await new PurifyingDefence(model, noisy).evaluate(images, labels);
  const first = isRight(await meanLogits(await purified(original, noisy, 1, 0), 1), labels);
  const expected = [...first];
  let draws = noisy.steps;
  for (let i = 0; i < count; i++) {
    if (first[i]) continue;
    const chains = await purified(original.slice(i * pixels, (i + 1) * pixels), noisy, 40, draws);
    expected[i] = isRight(await meanLogits(chains, 40), labels.subarray(i, i + 1))[0]!;
    draws += noisy.steps;
  }
  assert.deepEqual(correct, expected);
  assert(first.some((right, i) => !right && correct[i]), "verification overturns some");
  assert(first.some((right, i) => !right && !correct[i]), "and confirms others");
});

Deno.test("attackImages() attacks only what is unbroken, and keeps what broke each image", async () => {
  // In order: the clean images, the first attempt's start and two steps, and the second attempt's start and one step.
  const verdicts = [[1, 1, 1, 0], [1, 0, 1], [1, 1], [0, 1], [1], [0]];
  const asked: number[][] = [];
  const shown: Promise<Float32Array>[] = [];
  const scripted: Defence = {
    evaluate: (images, labels) => {
      const correct = verdicts[asked.length]!.map((verdict) => verdict === 1);
      asked.push([...labels]);
      shown.push(images.read());
      return Promise.resolve({
        correct,
        gradient: context.from(values(images.size, asked.length), images.shape),
      });
    },
  };
  const twice = { ...attack, steps: 2, restarts: 2 };
  const { accuracies, defended, adversarial } = await attackImages(test, first(4), () => scripted, twice);
  const [a, b, c, d] = test.labels;
  assert.deepEqual(asked, [[a, b, c, d], [a, b, c], [a, c], [a, c], [c], [c]]);
  assert.deepEqual([accuracies, defended], [[0.75, 0.5, 0.25, 0], [false, false, false, false]]);
  const images = await Promise.all(shown);
  const image = (step: number, row: number) => images[step]!.subarray(row * pixels, (row + 1) * pixels);
  // The first broke in the last step, the second at the start, and the third in the second attempt. The last was wrong
  // from the start.
  const expected = [image(3, 0), image(1, 1), image(5, 0), image(0, 3)];
  assert.deepEqual([...adversarial], expected.flatMap((pixels) => [...pixels]));
});

for (const [norm, radius, stepSize] of [["linf", 0.12, 0.04], ["l2", 0.9, 0.4]] as const) {
  const purifying = new PurifyingDefence(model, { ...options, noiseScale: 0.01 });
  for (const [defence, count, restarts] of [[plain, 131, 2], [purifying, 67, 1]] as const) {
    const { name } = defence.constructor;
    Deno.test(`attackImages(${norm}, ${name}) stays in the ball, and accuracies never increase`, async () => {
      const bounded = { ...attack, norm, radius, stepSize, restarts };
      const { accuracies, defended, adversarial } = await attackImages(
        test,
        first(count),
        () => defence,
        bounded,
      );
      assert.deepEqual([accuracies.length, defended.length], [attack.steps + 2, count]);
      accuracies.forEach((accuracy, k) => assert(k === 0 || accuracy <= accuracies[k - 1]!, `step ${k}`));
      const unbroken = defended.filter((flag) => flag).length;
      assert.equal(accuracies.at(-1), unbroken / count);
      assert(unbroken > 0 && accuracies.at(-1)! < accuracies[0]!, "some break and some do not");
      const clean = await test.range(0, count).read();
      for (let start = 0; start < clean.length; start += pixels) {
        const offset = clean.slice(start, start + pixels).map((x, p) => adversarial[start + p]! - x);
        // The radius is for images in [0, 1]. Images in [−1, 1] are twice as wide.
        const distance = norm === "l2" ? Math.hypot(...offset) : Math.max(...offset.map(Math.abs));
        assert(distance <= 2 * radius + 1e-6, `image ${start / pixels} is ${distance} away`);
      }
      assert(adversarial.every((x) => Math.abs(x) <= 1));
      if (defence !== plain) return;
      const attacked = context.from(adversarial, [count, 8, 8, 1]);
      const { correct } = await plain.evaluate(attacked, test.labels.subarray(0, count));
      assert.deepEqual(correct, defended, "what is handed back is what broke each image");
    });
  }
}

Deno.test("attackBatch() with restarts leaves unbroken what every restart alone leaves", async () => {
  const [images, labels] = await hardImages(14, 0.4);
  const [original, short] = [await images.read(), { ...attack, steps: 2 }];
  const { defended } = await attackBatch(images, labels, plain, { ...short, restarts: 3 }, 0);
  const alone = Array.from(labels, (): boolean[] => []);
  for (const i of labels.keys()) {
    using image = context.from(original.slice(i * pixels, (i + 1) * pixels), [1, 8, 8, 1]);
    for (const restart of [0, 1, 2]) {
      // With one restart, only the image's number selects its random start.
      const record = await attackBatch(image, labels.subarray(i, i + 1), plain, short, 3 * i + restart);
      alone[i]!.push(record.defended.at(-1)![0]!);
    }
  }
  assert(alone.some((flags) => flags.includes(true) && flags.includes(false)), "restarts differ");
  assert.deepEqual(defended.at(-1), alone.map((flags) => flags.every((flag) => flag)));
});

Deno.test("attackImages() with more restarts leaves no more images unbroken", async () => {
  let before = 1;
  for (const restarts of [1, 2, 4]) {
    const { accuracies } = await attackImages(test, first(70), () => plain, {
      ...attack,
      steps: 2,
      restarts,
    });
    assert(accuracies.at(-1)! <= before, `${restarts} restarts leave ${accuracies.at(-1)}, not ${before}`);
    before = accuracies.at(-1)!;
  }
});

Deno.test("attackImages() attacks the images that are named, whatever else is attacked with them", async () => {
  const [few, more] = [Uint32Array.of(200, 3, 77), Uint32Array.of(200, 3, 77, 5)];
  const short = { ...attack, steps: 1 };
  const [record, longer] = [
    await attackImages(test, few, () => plain, short),
    await attackImages(test, more, () => plain, short),
  ];
  assert.deepEqual(longer.defended.slice(0, 3), record.defended);
  const clean = await test.at(few).read();
  record.adversarial.forEach((x, p) => assert(Math.abs(x - clean[p]!) <= 2 * attack.radius + 1e-6));
});

Deno.test("attackImages() divided among ranks is that of one process, purified images too", async () => {
  const short = { ...attack, radius: 0.2, stepSize: 0.2, steps: 1 };
  const few = { ...chain, steps: 1, attackReplicas: 2, verificationReplicas: 2 };
  const purifying = (first: number) => new PurifyingDefence(model, { ...few, first });
  for (const [defenceOf, count, sizes] of [[() => plain, 131, [2, 4]], [purifying, 66, [2]]] as const) {
    const whole = await attackImages(test, first(count), defenceOf, short);
    for (const size of sizes) {
      const records = await Promise.all(
        processesInOne(size).map((communicator) =>
          attackImages(test, first(count), defenceOf, short, { communicator })
        ),
      );
      for (const record of records) assert.deepEqual(record, whole);
    }
    assert(whole.defended.includes(true) && whole.defended.includes(false));
  }
});

Deno.test("PurifyingDefence draws other numbers for other batches", async () => {
  const [images, labels] = await hardImages(4, 0.4);
  const gradients = await Promise.all([0, 64].map(async (first) => {
    using gradient =
      (await new PurifyingDefence(model, { ...options, first }).evaluate(images, labels)).gradient;
    return await gradient.read();
  }));
  assert.notDeepEqual(gradients[0], gradients[1]);
});
