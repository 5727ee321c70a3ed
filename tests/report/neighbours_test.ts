import { decode } from "fast-png";
import assert from "node:assert/strict";
import { DeviceImages } from "../../src/data/device_images.ts";
import { loadDataset } from "../../src/data/load.ts";
import { oneProcess } from "../../src/distributed/communicator.ts";
import { type Features, FloatImages } from "../../src/evaluate/features.ts";
import { AnswerBuilder, type QuestionOptions, type Subject } from "../../src/report/question.ts";
import { fidelityResults } from "../../src/report/questions/fidelity.ts";
import { addNeighbours, memorisationResults } from "../../src/report/questions/memorisation.ts";
import { chooseSpace, type Space } from "../../src/report/questions/space.ts";
import { Context } from "../../src/tensor/context.ts";
import { processesInOne } from "../distributed/processes_in_one.ts";
import { testGpu, values } from "../kernels/harness.ts";

const context = new Context(await testGpu());
const dataset = await loadDataset({ name: "digits", limit: 300 });
const train = new DeviceImages(context, dataset, dataset.train);
const test = new DeviceImages(context, dataset, dataset.test);
const subject = { communicator: oneProcess, dataset, train, test } as Subject;
const noise = new FloatImages(context, values(100 * 64, 3, -1, 1), [8, 8, 1]);
const none = { inception: undefined } as QuestionOptions;
const nothing = { features: new Float32Array(), logits: new Float32Array(), size: 0 };
const judged = (samples = noise as FloatImages | DeviceImages) => ({
  model: undefined as unknown as Subject["model"],
  samples: [samples, nothing] as const,
  training: [train, nothing] as const,
});
const pixels = chooseSpace(subject, none, undefined, judged()) as Space;

Deno.test("chooseSpace() takes pixels of small images, else Inception's features, the referee's, the model's own", async () => {
  assert.equal(pixels.name, "pixels of 8 bits");
  const loud = new FloatImages(context, Float32Array.of(...Array(62).fill(-1), 3, 0.5), [8, 8, 1]);
  const { features, dimension } = await pixels.coordinates(loud);
  assert.equal(dimension, 64);
  assert.deepEqual([...features.subarray(61)], [0, 255, 191]);

  const large = { ...subject, train: { ...train, shape: [32, 32, 3], count: 2 } } as unknown as Subject;
  const own = {} as Subject["model"];
  const referee = { name: "runs/softmax", model: {} as Subject["model"] };
  const features2 = (first: number): Features => ({
    ...nothing,
    features: Float32Array.of(first, 1),
    size: 2,
  });
  const known = {
    samples: [noise, features2(5)] as const,
    training: [large.train, features2(6)] as const,
  };
  const itself = chooseSpace({ ...large, model: own }, none, undefined, { model: own, ...known }) as Space;
  assert.equal(itself.name, "features of the model itself");
  assert.match(itself.caution!, /comparable with no other model's/);
  assert.deepEqual(await itself.coordinates(large.train), {
    features: Float32Array.of(6, 1),
    dimension: 2,
  });
  const judgedBy = { model: referee.model, ...known };
  const other = chooseSpace({ ...large, model: own, referee }, none, undefined, judgedBy) as Space;
  assert.deepEqual([other.name, other.caution], ["features of runs/softmax", undefined]);

  const asked: unknown[] = [];
  const extract = (images: unknown, scale: string) => {
    asked.push([images, scale]);
    return Promise.resolve({ pool3: Float32Array.of(7, 8, 9), dimension: 3 });
  };
  const inception = { inception: {} } as QuestionOptions;
  const standard = chooseSpace({ ...large, model: own, referee }, inception, extract, judgedBy) as Space;
  assert.equal(standard.name, "features of Inception-v3, as FID");
  for (let i = 0; i < 2; i++) assert.equal((await standard.coordinates(noise)).dimension, 3);
  assert.deepEqual(asked, [[noise, "8-bit"]], "once for each set");
  const file = { inception: { statistics: {} } } as QuestionOptions;
  assert.match(String(chooseSpace(large, file, extract, judgedBy)), /leave out --fid-statistics/);
  assert.equal((chooseSpace(subject, file, extract, judgedBy) as Space).name, pixels.name);
});

Deno.test("fidelityResults(): noise is far from digits, digits are as near as the training images beside them", async () => {
  const shares: number[] = [];
  const sets = { samples: noise, buffer: test };
  const found = await fidelityResults(subject, pixels, sets, 1, (share) => shares.push(share));
  assert(typeof found !== "string");
  const { samples, buffer, training, images, realImages, neighbours, dimension } = found;
  assert.deepEqual([images, realImages, neighbours, dimension], [100, 360, 5, 64]);
  assert.deepEqual([samples.precision.value, samples.coverage.value], [0, 0]);
  // The stand-in for the buffer is a part of the real images, and each of them is in its own ball.
  assert.deepEqual([buffer!.precision.value, buffer!.recall.interval[1] <= 1], [1, true]);
  assert(training.precision.value > 0.9 && training.recall.value > 0.7);
  // The average for two sets from one distribution (Naeem et al., lemma 2), within four standard errors of a
  // proportion.
  let missed = 1;
  for (let i = 1; i <= 5; i++) missed *= (360 - i) / (460 - i);
  const error = Math.sqrt(missed * (1 - missed) / 360);
  assert(Math.abs(training.coverage.value - (1 - missed)) < 4 * error, `${training.coverage.value}`);
  assert.deepEqual(shares, [0.25, 0.5, 0.75, 1]);
});

Deno.test("fidelityResults() says so if there are too few images", async () => {
  const few = new FloatImages(context, values(5 * 64, 3), [8, 8, 1]);
  const found = await fidelityResults(subject, pixels, { samples: few }, 1, () => {});
  assert.match(String(found), /take more than 5 images of each kind; there are 5 to compare with 360 test/);
});

Deno.test("memorisationResults(): copies are found, test images are none, noise is far", async () => {
  const judge = (samples: FloatImages | DeviceImages) => memorisationResults(subject, pixels, { samples }, 1);
  const copies = await judge(train);
  assert.deepEqual([copies.nearer, copies.medianOfSamples], [1, 0]);
  assert.deepEqual([copies.images, copies.heldOutImages, copies.trainingImages], [300, 360, 300]);
  const same = await judge(test);
  assert.equal(same.nearer, 0.5);
  assert(same.interval[0] < 0.5 && 0.5 < same.interval[1] && same.medianOfSamples === same.medianOfHeldOut);
  assert.equal((await judge(noise)).nearer, 0);
});

Deno.test("figures by nearest neighbours divided among ranks are those of one process", async () => {
  const measure = async (communicator: Subject["communicator"]) => {
    const divided = { ...subject, communicator };
    return [
      await fidelityResults(divided, pixels, { samples: noise }, 1, () => {}),
      await memorisationResults(divided, pixels, { samples: noise }, 1),
    ];
  };
  const whole = await measure(oneProcess);
  for (const found of await Promise.all(processesInOne(3).map(measure))) assert.deepEqual(found, whole);
});

Deno.test("addNeighbours() shows each sample beside its nearest training image", async () => {
  const report = new AnswerBuilder("Generation");
  // Training images 3 and 4, at distance 0 from themselves, then noise, which is not.
  const images = Float32Array.of(...await train.range(3, 2).read(), ...values(64, 3, -1, 1));
  const samples = new FloatImages(context, images, [8, 8, 1]);
  await addNeighbours(report, subject, pixels, { samples }, [[1, 0], [], [2]], 1.25);
  const { files, section } = report.answer({});
  const svg = String(files.get("nearest_training_images.svg"));
  assert.deepEqual(
    [...svg.matchAll(/<text [^>]*>([^<]*)</g)].map(([, text]) => text).slice(0, 2),
    ["0.00", "0.00"],
  );
  const pictures = [...svg.matchAll(/base64,([^"]*)"/g)].map(([, text]) => text);
  assert.equal(pictures.length, 6);
  assert.deepEqual([pictures[0], pictures[2]], [pictures[1], pictures[3]]);
  assert.notEqual(pictures[4], pictures[5]);
  const { width, height } = decode(Uint8Array.fromBase64(pictures[0]!));
  assert.deepEqual([width, height], [32, 32]);
  const png = decode(files.get("nearest_training_images.png") as Uint8Array);
  assert(png.width > 200 && new Set(png.data).size > 10, "the PNG shows the pictures");
  const [block] = section.blocks;
  assert(block?.kind === "plot" && /test image to its nearest training image is 1\.25/.test(block.caption));
});
