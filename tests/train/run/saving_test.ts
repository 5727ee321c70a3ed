import assert from "node:assert/strict";
import { describeData } from "../../../src/data/description.ts";
import { selectImages } from "../../../src/data/dataset.ts";
import { loadDataset } from "../../../src/data/load.ts";
import { Context } from "../../../src/tensor/context.ts";
import { restoreTrainer } from "../../../src/train/checkpoint/checkpoint.ts";
import { checkpointNames, checkpointPath } from "../../../src/train/checkpoint/folder.ts";
import { type Configuration, parseConfiguration } from "../../../src/train/configuration.ts";
import { preset } from "../../../src/train/presets.ts";
import { RunDirectory } from "../../../src/train/run/run_directory.ts";
import { Trainer } from "../../../src/train/trainer.ts";
import { type Summary, TrainingRun } from "../../../src/train/training_run.ts";
import { testGpu } from "../../kernels/harness.ts";
import { withFiles } from "../../temporary.ts";
import { reproducible } from "../../run_files.ts";

const digits = await loadDataset({ name: "digits", limit: 120 });
const dataset = { ...digits, test: selectImages(digits.test, Uint32Array.from({ length: 30 }, (_, i) => i)) };
const configuration = parseConfiguration({
  ...preset("digits"),
  dataLimit: 120,
  likelihoodBatch: 4,
  labelledBatch: 4,
  bufferSize: 10,
  steps: 1,
  warmup: 0,
  learningRate: 0.01,
  rho: 0.05,
  decayIterations: [],
  iterations: 4,
  validationCount: 40,
  checkpointEvery: 2,
  checkpointMinutes: 0,
  samplesEvery: 2,
  evaluateEvery: 2,
  keepCheckpoints: 2,
});

interface Outcome {
  readonly summary: Summary | undefined;
  /** What the user was told. */
  readonly lines: string[];
}

/** Starts a run or continues the existing one, as the train command does. */
async function train(
  path: string,
  options: Configuration = configuration,
  stopAfter?: number,
): Promise<Outcome> {
  const lines: string[] = [];
  const note = (line: string) => {
    // So few iterations teach the model nothing.
    if (!/no better than guessing/.test(line)) lines.push(line.replaceAll(path, "RUN"));
  };
  const isNew = (await checkpointNames(path)).length === 0;
  using directory = isNew ? await RunDirectory.create(path, options) : await RunDirectory.open(path);
  const trainer = new Trainer(new Context(await testGpu()), options, dataset);
  await directory.noteData(describeData(dataset));
  if (!isNew) {
    const checkpoint = await directory.resumableCheckpoint(options, note);
    restoreTrainer(trainer, checkpoint);
    await directory.rewind(checkpoint, note);
  }
  const listener = { filling() {}, progress() {}, recovering() {}, tested() {}, note };
  const run = new TrainingRun(trainer, options, dataset, directory, listener);
  const summary = await run.run({ stopAfter, signal: new AbortController().signal });
  return { summary, lines };
}

/** The files of a run, without times. */
async function contents(path: string): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const folder of ["", "checkpoints/", "samples/"]) {
    for await (const { name, isFile } of Deno.readDir(`${path}/${folder}`)) {
      if (isFile && name !== "summary.json") {
        files.set(folder + name, await reproducible(`${path}/${folder}${name}`));
      }
    }
  }
  return files;
}

function requireSame(found: Map<string, Uint8Array>, expected: Map<string, Uint8Array>, what: string): void {
  assert.deepEqual([...found.keys()].sort(), [...expected.keys()].sort(), what);
  for (const [name, bytes] of expected) assert.deepEqual(found.get(name), bytes, `${what}: ${name}`);
}

/** A process ends right after one of its files has received its final name. */
class Killed extends Error {}

/** Trains until `files` files have been written, then stops. */
async function trainUntilKilled(path: string, files: number): Promise<boolean> {
  const { rename } = Deno;
  let written = 0;
  Deno.rename = async (from, to) => {
    await rename(from, to);
    if (++written === files) throw new Killed();
  };
  try {
    await train(path);
    return false;
  } catch (error) {
    if (!(error instanceof Killed)) throw error;
    return true;
  } finally {
    Deno.rename = rename;
  }
}

Deno.test("TrainingRun, killed after any of its writes and resumed, leaves the files of a run in one go", async () => {
  await withFiles({}, async (folder) => {
    await train(`${folder}/whole`);
    const expected = await contents(`${folder}/whole`);
    assert.deepEqual(
      [...expected.keys()].filter((name) => name.startsWith("samples/")).sort(),
      ["2", "4"].map((iteration) => `samples/0000000${iteration}.png`),
    );
    assert(expected.has("best.safetensors") && expected.has("model.safetensors"));
    let kills = 0;
    while (await trainUntilKilled(`${folder}/killed`, kills + 1)) {
      kills++;
      const what = `after write ${kills}`;
      const { lines } = await train(`${folder}/killed`);
      assert.deepEqual(lines, [], what);
      requireSame(await contents(`${folder}/killed`), expected, what);
      assert((await Deno.stat(`${folder}/killed/summary.json`)).isFile);
      await Deno.remove(`${folder}/killed`, { recursive: true });
    }
    // Configuration, data, three checkpoints, two pictures, the best model's three files at least once, model and
    // summary.
    assert(kills >= 12, `${kills} kills`);
  });
});

Deno.test("TrainingRun, its newest checkpoints damaged one after the other, leaves the files of a run in one go", async () => {
  await withFiles({}, async (folder) => {
    await train(`${folder}/whole`);
    const expected = await contents(`${folder}/whole`);
    const run = `${folder}/damaged`;
    for (const iteration of [4, 2]) {
      await train(run, configuration, iteration);
      const path = checkpointPath(run, iteration);
      const bytes = await Deno.readFile(path);
      bytes[bytes.length >> 1]! ^= 4;
      await Deno.writeFile(path, bytes);
      const { lines } = await train(run);
      assert.match(
        lines[0]!,
        new RegExp(`0${iteration}\\.safetensors: damaged checkpoint: .*trying an older one`),
      );
      await Deno.remove(`${path}.unusable`);
      requireSame(await contents(run), expected, `checkpoint ${iteration} damaged`);
      await Deno.remove(run, { recursive: true });
    }
  });
});

Deno.test("TrainingRun resumes from before its first iteration, and makes up for metrics and pictures that are gone", async () => {
  await withFiles({}, async (folder) => {
    await train(`${folder}/whole`);
    const expected = await contents(`${folder}/whole`);
    const run = `${folder}/run`;
    assert(await trainUntilKilled(run, 3));
    assert.deepEqual(await checkpointNames(run), ["00000000.safetensors"]);
    await train(run, configuration, 2);
    await Deno.remove(`${run}/samples/00000002.png`);
    await Deno.remove(`${run}/metrics.jsonl`);
    const { lines } = await train(run);
    assert.deepEqual(lines.length, 1);
    assert.match(lines[0]!, /metrics\.jsonl was mended: the rows of iterations 0–1/);
    requireSame(await contents(run), expected, "resumed");
  });
});

Deno.test("TrainingRun leaves a finished run's summary alone, and writes a model again that is damaged", async () => {
  await withFiles({}, async (folder) => {
    const run = `${folder}/run`;
    await train(run);
    const expected = await contents(run);
    const summary = { ...JSON.parse(await Deno.readTextFile(`${run}/summary.json`)), seconds: 1234.5 };
    await Deno.writeTextFile(`${run}/summary.json`, JSON.stringify(summary));
    await Deno.writeTextFile(`${run}/model.safetensors`, "damaged");
    const again = await train(run);
    assert.deepEqual(again.summary, summary);
    assert.deepEqual(JSON.parse(await Deno.readTextFile(`${run}/summary.json`)), summary);
    requireSame(await contents(run), expected, "finished");
  });
});

Deno.test("TrainingRun writes checkpoints by time too, which changes no result, and goes on without pictures", async () => {
  await withFiles({}, async (folder) => {
    await train(`${folder}/whole`);
    const expected = await contents(`${folder}/whole`);
    const often = { ...configuration, checkpointEvery: 0, checkpointMinutes: 1e-9, keepCheckpoints: 20 };
    const run = `${folder}/often`;
    await train(run, often, 1);
    await Deno.remove(`${run}/samples`, { recursive: true });
    await Deno.writeTextFile(`${run}/samples`, "in the way");
    const { lines } = await train(run, often);
    assert.deepEqual((await checkpointNames(run)).length, 5);
    const found = await reproducible(`${run}/metrics.jsonl`);
    assert.deepEqual(found, expected.get("metrics.jsonl"));
    assert.deepEqual(lines.length, 2);
    for (const line of lines) {
      assert.match(line, /^warning: cannot write RUN\/samples\/0000000\d\.png \([\d,]+ bytes\)/);
    }
  });
});
