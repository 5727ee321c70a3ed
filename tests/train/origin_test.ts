import assert from "node:assert/strict";
import { digitNames } from "../../src/data/class_names.ts";
import { loadDataset } from "../../src/data/load.ts";
import { type Communicator, oneProcess } from "../../src/distributed/communicator.ts";
import { CheckpointError, ConfigurationError, DataError } from "../../src/errors.ts";
import { readModel } from "../../src/nn/state_dict.ts";
import { Context } from "../../src/tensor/context.ts";
import { buildModel } from "../../src/train/build.ts";
import {
  type Checkpoint,
  decodeCheckpoint,
  encodeCheckpoint,
  restoreTrainer,
} from "../../src/train/checkpoint/checkpoint.ts";
import { readModelFile, serializeOfficial } from "../../src/train/checkpoint/import.ts";
import { gatherParts } from "../../src/train/checkpoint/parts.ts";
import { type Configuration, parseConfiguration } from "../../src/train/configuration.ts";
import { beginWith, configurationFrom, datasetFor } from "../../src/train/origin.ts";
import { preset } from "../../src/train/presets.ts";
import { RunDirectory } from "../../src/train/run/run_directory.ts";
import { silentListener } from "../../src/train/run_listener.ts";
import { Trainer } from "../../src/train/trainer.ts";
import { TrainingRun } from "../../src/train/training_run.ts";
import { processesInOne } from "../distributed/processes_in_one.ts";
import { testGpu } from "../kernels/harness.ts";
import { refuses } from "../refusal.ts";
import { requireSameBytes } from "../same_bytes.ts";
import { withFiles } from "../temporary.ts";

const digits = await loadDataset({ name: "digits", limit: 100 });
const shipped = await decodeCheckpoint(
  await Deno.readFile(new URL("../../data/models/digits.safetensors", import.meta.url)),
);
const entries = 20;
const origin = { path: "model.pt", sha256: "0".repeat(64) };
const options = parseConfiguration({
  ...preset("digits"),
  ...{ likelihoodBatch: 4, labelledBatch: 4, steps: 1, rho: 0.05, iterations: 2, seed: 5 },
  ...{ checkpointEvery: 0, samplesEvery: 0, evaluateEvery: 0, checkpointMinutes: 0 },
});

/** The shipped model, with its first classes and replay images. */
function shortened(classes: number, images: number): Checkpoint {
  const tensors = new Map(shipped.tensors);
  const cut = (name: string, rows: number) => {
    const { shape, data } = tensors.get(name)!;
    tensors.set(name, {
      shape: [rows, ...shape.slice(1)],
      data: data.slice(0, rows * data.length / shape[0]!),
    });
  };
  cut("class_output.weight", classes);
  cut("class_output.bias", classes);
  if (images > 0) cut("replay_buffer", images);
  else tensors.delete("replay_buffer");
  return { ...shipped, tensors, images: { ...shipped.images, classNames: digitNames.slice(0, classes) } };
}

/** The same as a file of the official code, read for training on the digits. */
async function official(classes: number, images: number): Promise<Checkpoint> {
  const file = serializeOfficial(shortened(classes, images));
  return await readModelFile(file, { usedOn: { dataset: "digits", imageSize: 8 } });
}

async function trainerOf(configuration: Configuration, communicator: Communicator = oneProcess) {
  return new Trainer(new Context(await testGpu()), configuration, digits, communicator);
}

/** The first checkpoint of a run. */
async function firstCheckpoint(trainer: Trainer, configuration: Configuration): Promise<Checkpoint> {
  return await decodeCheckpoint(await encodeCheckpoint(trainer, configuration, digits));
}

function requireSameTensor(found: Checkpoint, expected: Pick<Checkpoint, "tensors">, name: string): void {
  const [one, other] = [found.tensors.get(name)!, expected.tensors.get(name)!];
  assert.deepEqual(one.shape, other.shape, name);
  assert.deepEqual(one.data, other.data, name);
}

Deno.test("beginWith() gives a trainer a file's bits, a new model's head for other classes, and a fresh optimiser", async () => {
  const context = new Context(await testGpu());
  const fresh = { tensors: await readModel(buildModel(context, options, digits)) };
  const heads = ["class_output.weight", "class_output.bias"];
  for (const [classes, images] of [[10, entries], [10, 0], [6, entries], [6, 0]] as const) {
    const file = await official(classes, images);
    const configuration = configurationFrom(origin, file, options, new Set());
    const trainer = await trainerOf(configuration);
    const taken = await beginWith(trainer, file, digits);
    assert.equal(taken.newHead, classes === 10 ? undefined : "10 ≠ 6 classes");
    assert.equal(trainer.replayFilled, images > 0);
    assert.equal(configuration.bufferSize, images || options.bufferSize);
    if (images > 0) assert.equal(taken.replay, images);
    else assert.match(`${taken.replay}`, /filled anew, as it has none/);

    const first = await firstCheckpoint(trainer, configuration);
    const names = [...file.tensors.keys()].filter((name) => !heads.includes(name));
    assert(names.includes("f.bn1.running_var") && names.includes("energy_output.bias"));
    for (const name of names) requireSameTensor(first, file, name);
    for (const name of heads) requireSameTensor(first, classes === 10 ? file : fresh, name);
    assert.equal(first.batchesTracked, shipped.batchesTracked);
    const momenta = [...first.tensors].filter(([name]) => name.startsWith("momentum."));
    assert(momenta.length > 10 && momenta.every(([, { data }]) => data.every((value) => value === 0)));
    assert.equal(first.iteration, 0);
  }
});

Deno.test("beginWith() leaves a replay buffer that does not fit, or that nothing needs, and says so", async () => {
  const file = shortened(10, entries);
  const taken = async (configuration: Configuration, model = file) =>
    (await beginWith(await trainerOf(configuration), model, digits)).replay;
  assert.match(`${await taken({ ...options, bufferSize: 8 })}`, /its own has 20 images and bufferSize is 8$/);
  const softmax = { ...options, likelihoodWeight: 0 };
  assert.match(`${await taken(softmax)}`, /its replay buffer is left, as likelihoodWeight is 0/);
  assert.equal(await taken(softmax, shortened(10, 0)), "no replay buffer");
  const buffer = { shape: [entries, 1, 4, 4], data: new Float32Array(entries * 16) };
  const small = { ...file, tensors: new Map(file.tensors).set("replay_buffer", buffer) };
  assert.match(`${await taken({ ...options, bufferSize: entries }, small)}`, /images of shape \[1,4,4\]/);
});

Deno.test("beginWith() puts two processes where one is, each with its part of the replay buffer", async () => {
  const file = shortened(6, entries);
  const configuration = { ...options, shards: 2, bufferSize: entries };
  const run = async (processes: number) => {
    const communicators = processes === 1 ? [oneProcess] : processesInOne(processes);
    const checkpoints = await Promise.all(communicators.map(async (communicator) => {
      const trainer = await trainerOf(configuration, communicator);
      assert.equal((await beginWith(trainer, file, digits)).replay, entries);
      const encoded = async () => {
        if (communicator.rank === 0) return await encodeCheckpoint(trainer, configuration, digits);
        await gatherParts(trainer);
        return new Uint8Array();
      };
      const first = await encoded();
      await trainer.advance();
      return [first, await encoded()] as const;
    }));
    return checkpoints[0]!;
  };
  const [one, two] = [await run(1), await run(2)];
  const first = await decodeCheckpoint(one[0]);
  requireSameTensor(first, file, "replay_buffer");
  const means = file.tensors.get("f.layer1.0.bn1.running_mean")!.data;
  const statistics = first.tensors.get("shard_statistics")!;
  for (const shard of [0, 1]) {
    const row = statistics.data.subarray(shard * statistics.shape[1]!);
    assert.deepEqual(row.slice(0, means.length), means, "each shard has the file's statistics");
  }
  for (const i of [0, 1]) requireSameBytes(two[i]!, one[i]!, `checkpoint ${i}`);
});

Deno.test("A run that goes on from its first checkpoint has the buffer that came from the file", async () => {
  const file = shortened(10, entries);
  const configuration = { ...options, bufferSize: entries };
  await withFiles({}, async (folder) => {
    const train = async (path: string, first?: Checkpoint) => {
      using directory = await RunDirectory.create(path, configuration);
      const trainer = await trainerOf(configuration);
      if (first) restoreTrainer(trainer, first);
      else await beginWith(trainer, file, digits);
      const run = new TrainingRun(trainer, configuration, digits, directory, silentListener);
      await run.run({ signal: new AbortController().signal });
      return await Deno.readFile(`${path}/checkpoints/00000002.safetensors`);
    };
    const whole = await train(`${folder}/whole`);
    const first = await decodeCheckpoint(
      await Deno.readFile(`${folder}/whole/checkpoints/00000000.safetensors`),
    );
    requireSameTensor(first, file, "replay_buffer");
    requireSameBytes(await train(`${folder}/again`, first), whole, "the checkpoint");
  });
});

Deno.test("configurationFrom() takes the network from the file, and refuses another one that was given", () => {
  const file = shortened(10, entries);
  const wide = parseConfiguration({ ...options, depth: 28, width: 10, norm: "none", unconditional: true });
  const { depth, width, norm, unconditional, bufferSize, ...rest } = configurationFrom(
    origin,
    file,
    wide,
    new Set(["seed"]),
  );
  assert.deepEqual([depth, width, norm, unconditional, bufferSize], [10, 1, "batch", false, entries]);
  assert.deepEqual([rest.rho, rest.seed, rest.origin], [0.05, 5, origin]);
  const given = configurationFrom(
    origin,
    file,
    { ...wide, ...shipped.configuration, bufferSize: 7 },
    new Set(["bufferSize", "depth"]),
  );
  assert.equal(given.bufferSize, 7);
  for (
    const [option, message] of [
      ["depth", "depth is 28, where the model in model.pt has 10; leave depth out"],
      ["width", "width is 10, where the model in model.pt has 1; leave width out"],
      ["norm", "norm is none, where the model in model.pt has batch; leave norm out"],
    ] as const
  ) {
    assert.throws(
      () => configurationFrom(origin, file, wide, new Set([option])),
      (error) => error instanceof ConfigurationError && error.message === `configuration: ${message}`,
    );
  }
  const pictures = parseConfiguration({ ...options, dataset: "images" });
  assert.equal(configurationFrom(origin, file, pictures, new Set()).imageSize, 8);
});

Deno.test("datasetFor() numbers the data's classes as the model does, if they are the model's", () => {
  const { images } = shipped;
  const turned = datasetFor(digits, { ...images, classNames: digitNames.toReversed() });
  assert.deepEqual(
    turned.train.labels.slice(0, 9),
    digits.train.labels.slice(0, 9).map((label) => 9 - label),
  );
  const letters = [..."abcdefghij"];
  for (const classNames of [letters, letters.slice(4)]) {
    assert.equal(datasetFor(digits, { ...images, classNames }), digits);
  }
  assert.equal(datasetFor(digits, { ...images, classNames: letters, unnamed: true }), digits);
  assert.throws(
    () => datasetFor(digits, { ...images, height: 32, width: 32, channels: 3 }),
    (error) =>
      error instanceof DataError &&
      error.message ===
        "digits: images of 8×8×1, the model takes 32×32×3; choose other data (--preset NAME or --set dataset=NAME)",
  );
});

Deno.test("readModelFile() takes the size and data set of what a model is used on, where the file tells none", async () => {
  const bytes = serializeOfficial(shortened(6, 0));
  await refuses(readModelFile(bytes), CheckpointError, /does not say what the model was trained on/);
  const { images, configuration } = await readModelFile(bytes, {
    usedOn: { dataset: "digits", imageSize: 8 },
  });
  assert.deepEqual([images.height, images.unnamed, configuration.dataset], [8, true, "digits"]);
  const large = { usedOn: { dataset: "images", imageSize: 64 } } as const;
  await refuses(readModelFile(bytes, large), CheckpointError, /3 groups is not one for images of 64 pixels/);
  // The replay buffer determines the size, and a file that names its classes keeps the names.
  const whole = await readModelFile(serializeOfficial(shortened(10, entries)), large);
  assert.deepEqual([whole.images.height, whole.images.unnamed], [8, true]);
});
