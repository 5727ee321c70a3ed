import assert from "node:assert/strict";
import { PoisonedTrainer } from "../../../bench/lib/poisoned_trainer.ts";
import { selectImages } from "../../../src/data/dataset.ts";
import { loadDataset } from "../../../src/data/load.ts";
import { oneProcess } from "../../../src/distributed/communicator.ts";
import { ConfigurationError, DivergenceError } from "../../../src/errors.ts";
import { Context } from "../../../src/tensor/context.ts";
import { restoreTrainer } from "../../../src/train/checkpoint/checkpoint.ts";
import { checkpointNames } from "../../../src/train/checkpoint/folder.ts";
import { shareCheckpoint } from "../../../src/train/checkpoint/share.ts";
import { type Configuration, parseConfiguration } from "../../../src/train/configuration.ts";
import { requireSameJob } from "../../../src/train/job.ts";
import { preset } from "../../../src/train/presets.ts";
import { RunDirectory } from "../../../src/train/run/run_directory.ts";
import { type RunListener, silentListener } from "../../../src/train/run_listener.ts";
import { Trainer } from "../../../src/train/trainer.ts";
import { type Summary, TrainingRun } from "../../../src/train/training_run.ts";
import { processesInOne } from "../../distributed/processes_in_one.ts";
import { testGpu } from "../../kernels/harness.ts";
import { requireSameBytes } from "../../same_bytes.ts";
import { withFiles } from "../../temporary.ts";
import { readTrainedRun } from "../../../src/train/run/trained_run.ts";
import { reproducible } from "../../run_files.ts";

const digits = await loadDataset({ name: "digits", limit: 120 });
const dataset = { ...digits, test: selectImages(digits.test, Uint32Array.from({ length: 20 }, (_, i) => i)) };
const configuration = parseConfiguration({
  ...preset("digits"),
  ...{ dataLimit: 120, likelihoodBatch: 4, labelledBatch: 4, bufferSize: 20, steps: 1, shards: 2 },
  ...{ warmup: 0, learningRate: 0.01, rho: 0.05, decayIterations: [], iterations: 6, validationCount: 40 },
  ...{ checkpointEvery: 2, checkpointMinutes: 0, samplesEvery: 2, evaluateEvery: 2 },
});

interface Disturbance {
  readonly stopAfter?: number;
  /** The rank whose parameters become NaN before an iteration. */
  readonly poisoned?: { readonly rank: number; readonly at: number };
  /** The rank that is told to stop once `at` iterations have been reported anywhere. */
  readonly interrupted?: { readonly rank: number; readonly at: number };
}

/** Starts or continues a run with several processes, as the command does, and returns how each of them ended. */
async function train(
  path: string,
  processes: number,
  options: Configuration = configuration,
  { stopAfter, poisoned, interrupted }: Disturbance = {},
): Promise<{ ends: PromiseSettledResult<Summary | undefined>[]; lines: string[]; iterations: number[] }> {
  const isNew = (await checkpointNames(path)).length === 0;
  using directory = await (isNew ? RunDirectory.create(path, options) : RunDirectory.open(path));
  const lines: string[] = [];
  const communicators = processes === 1 ? [oneProcess] : processesInOne(processes);
  const controllers = communicators.map(() => new AbortController());
  const listener: RunListener = {
    ...silentListener,
    recovering: ({ iteration, from }) => lines.push(`${iteration} to ${from}`),
    progress({ report }) {
      if (interrupted && report.iteration + 1 >= interrupted.at) controllers[interrupted.rank]!.abort();
    },
  };
  const gpu = await testGpu();
  const iterations: number[] = [];
  const ends = await Promise.allSettled(communicators.map(async (communicator) => {
    const { rank } = communicator;
    const trainer = new PoisonedTrainer(new Context(gpu), options, dataset, communicator);
    if (poisoned?.rank === rank) trainer.poisonedAt = poisoned.at;
    if (!isNew) {
      const newest = rank === 0 ? await directory.resumableCheckpoint(options, () => {}) : undefined;
      restoreTrainer(trainer, await shareCheckpoint(communicator, newest));
      if (newest) await directory.rewind(newest, () => {});
    }
    const [mine, told] = rank === 0 ? [directory, listener] : [undefined, silentListener];
    const run = new TrainingRun(trainer, options, dataset, mine, told);
    const summary = await run.run({ stopAfter, signal: controllers[rank]!.signal });
    iterations[rank] = trainer.iteration;
    return summary;
  }));
  return { ends, lines, iterations };
}

function requireEnded(ends: readonly PromiseSettledResult<unknown>[]): void {
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}

/** The files of a run, without times. */
async function contents(path: string): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const folder of ["", "checkpoints/", "samples/"]) {
    for await (const { name, isFile } of Deno.readDir(`${path}/${folder}`)) {
      if (!isFile || name === "summary.json") continue;
      files.set(folder + name, await reproducible(`${path}/${folder}${name}`));
    }
  }
  return files;
}

/** @param besides whether more files are allowed: an interruption leaves a checkpoint and a picture */
async function requireSame(
  path: string,
  expected: ReadonlyMap<string, Uint8Array>,
  besides = false,
): Promise<void> {
  const found = await contents(path);
  if (!besides) assert.deepEqual([...found.keys()].sort(), [...expected.keys()].sort());
  for (const [name, bytes] of expected) requireSameBytes(found.get(name)!, bytes, `${path}: ${name}`);
}

Deno.test("A run of two shards leaves the same files by one process and by two, interrupted on any rank as well", async () => {
  await withFiles({}, async (folder) => {
    const one = await train(`${folder}/one`, 1);
    requireEnded(one.ends);
    const expected = await contents(`${folder}/one`);
    assert(expected.has("best.safetensors") && expected.has("samples/00000004.png"));
    const two = await train(`${folder}/two`, 2);
    requireEnded(two.ends);
    const [summaries] = [two.ends.map((end) => end.status === "fulfilled" && end.value)];
    assert.equal((summaries[0] as Summary).iterations, 6);
    assert.equal(summaries[1], undefined);
    await requireSame(`${folder}/two`, expected);
    // The run is complete, so nothing more is computed. A missing model is written again.
    await Deno.remove(`${folder}/two/model.safetensors`);
    requireEnded((await train(`${folder}/two`, 2)).ends);
    await requireSame(`${folder}/two`, expected);

    for (const rank of [0, 1]) {
      const path = `${folder}/stopped-${rank}`;
      const { ends, iterations } = await train(path, 2, configuration, { interrupted: { rank, at: 3 } });
      requireEnded(ends);
      assert.equal(iterations[0], iterations[1]);
      assert(iterations[0]! >= 3 && iterations[0]! < 6, `${iterations[0]}`);
      requireEnded((await train(path, 2 - rank)).ends);
      await requireSame(path, expected, true);
    }
  });
});

Deno.test("A NaN on one rank takes both back to the same checkpoint, or stops both", async () => {
  const poisoned = { rank: 1, at: 5 };
  await withFiles({}, async (folder) => {
    const { ends, lines, iterations } = await train(`${folder}/back`, 2, configuration, { poisoned });
    requireEnded(ends);
    assert.deepEqual(lines, ["5 to 2"]);
    assert.deepEqual(iterations, [6, 6]);
    // A single poisoned process goes through the same.
    const one = await train(`${folder}/one`, 1, configuration, { poisoned: { rank: 0, at: 5 } });
    assert.deepEqual(one.lines, lines);
    await requireSame(`${folder}/back`, await contents(`${folder}/one`));

    const stopped = await train(`${folder}/stop`, 2, { ...configuration, recover: 0 }, { poisoned });
    for (const end of stopped.ends) {
      assert(end.status === "rejected" && end.reason instanceof DivergenceError);
      assert.match(end.reason.message, /^training diverged at iteration 5 \(likelihood term NaN, loss NaN\)/);
    }
    // The run's last row shows this to anyone who looks at it later.
    const seen = await readTrainedRun(`${folder}/stop`, "stop");
    assert.deepEqual([seen!.state, seen!.metrics.last.iteration], ["diverged", 5]);
    assert(seen!.metrics.last.seconds > 0);
  });
});

Deno.test("A clock's checkpoint is written by rank 0's clock alone, and no result depends on it", async () => {
  await withFiles({}, async (folder) => {
    const options = {
      ...configuration,
      checkpointEvery: 0,
      keepCheckpoints: 10,
      samplesEvery: 0,
      evaluateEvery: 0,
    };
    requireEnded((await train(`${folder}/without`, 2, options)).ends);
    requireEnded((await train(`${folder}/with`, 2, { ...options, checkpointMinutes: 1e-9 })).ends);
    assert.equal((await checkpointNames(`${folder}/without`)).length, 2);
    assert.equal((await checkpointNames(`${folder}/with`)).length, 7);
    const metrics = (name: string) => reproducible(`${folder}/${name}/metrics.jsonl`);
    assert.deepEqual(await metrics("with"), await metrics("without"));
  });
});

Deno.test("Processes with other data, options or parameters are refused by name and rank, on both", async () => {
  const gpu = await testGpu();
  const labels = digits.train.labels.toReversed();
  const bytes = digits.train.bytes.slice();
  bytes[7]! ^= 1;
  const disturb = (trainer: Trainer, seed: number) => {
    const { values } = trainer.model.parameters;
    values.write(new Float32Array(values.size).fill(seed));
  };
  const cases: [(options: Configuration) => [Configuration, typeof digits], RegExp][] = [
    [
      (options) => [options, { ...digits, train: { ...digits.train, bytes } }],
      /^rank 1: other data than rank 0: trainingChecksum is "[0-9a-f]{8}", not "[0-9a-f]{8}"$/,
    ],
    [
      (options) => [options, { ...digits, train: { ...digits.train, labels } }],
      /^rank 1: other data than rank 0: labels is "[0-9a-f]{8}", not "[0-9a-f]{8}"$/,
    ],
    [
      (options) => [{ ...options, rho: 1, dataFolder: "/elsewhere" }, digits],
      /^rank 1: other configuration than rank 0: rho is 1, not 0.05$/,
    ],
  ];
  for (const [change, message] of cases) {
    const ends = await Promise.allSettled(
      processesInOne(2).map(async (communicator) => {
        const [options, data] = communicator.rank === 1
          ? change(configuration)
          : [configuration, digits] as const;
        const trainer = new Trainer(new Context(gpu), options, data, communicator);
        await requireSameJob(trainer, options, data);
      }),
    );
    requireRefused(ends, message);
  }
  const ends = await Promise.allSettled(
    processesInOne(2).map(async (communicator) => {
      const trainer = new Trainer(new Context(gpu), configuration, digits, communicator);
      if (communicator.rank === 1) disturb(trainer, 0.5);
      await requireSameJob(trainer, configuration, digits);
    }),
  );
  requireRefused(ends, /^rank 1: other state than rank 0: parameters is "[0-9a-f]{8}", not "[0-9a-f]{8}"$/);
});

function requireRefused(ends: readonly PromiseSettledResult<void>[], message: RegExp): void {
  for (const end of ends) {
    assert(end.status === "rejected" && end.reason instanceof ConfigurationError, `${message}`);
    assert.match(end.reason.message, message);
  }
}
