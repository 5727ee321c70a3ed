import assert from "node:assert/strict";
import { PoisonedTrainer } from "../../../bench/lib/poisoned_trainer.ts";
import { loadDataset } from "../../../src/data/load.ts";
import { CheckpointError, ConfigurationError, DivergenceError } from "../../../src/errors.ts";
import { shareInterval } from "../../../src/evaluate/proportion.ts";
import { Gpu } from "../../../src/gpu/gpu.ts";
import { Context } from "../../../src/tensor/context.ts";
import { changedConfiguration, settledAttempts } from "../../../src/train/recovery/changes.ts";
import { restoreTrainer } from "../../../src/train/checkpoint/checkpoint.ts";
import { type Configuration, parseConfiguration } from "../../../src/train/configuration.ts";
import { guessingWarning } from "../../../src/train/recovery/guessing.ts";
import { type Health, watch } from "../../../src/train/recovery/health.ts";
import { superfluousCheckpoints } from "../../../src/train/checkpoint/ladder.ts";
import { preset } from "../../../src/train/presets.ts";
import {
  type Attempt,
  decide,
  noRecovery,
  parseRecoveryState,
  rateFactor,
  streamSeed,
} from "../../../src/train/recovery/recovery.ts";
import { newestCheckpoint } from "../../../src/train/checkpoint/folder.ts";
import { RunDirectory } from "../../../src/train/run/run_directory.ts";
import type { IterationReport } from "../../../src/train/iteration/report.ts";
import type { RunListener } from "../../../src/train/run_listener.ts";
import { type Summary, TrainingRun } from "../../../src/train/training_run.ts";
import { reproducible } from "../../run_files.ts";

const digits = await loadDataset({ name: "digits" });

const quick = parseConfiguration({
  ...preset("digits"),
  ...{ likelihoodBatch: 8, labelledBatch: 8, bufferSize: 20, steps: 1, warmup: 4, decayIterations: [] },
  ...{ iterations: 16, checkpointEvery: 3, samplesEvery: 0, evaluateEvery: 0 },
});

const listener = (lines: string[] = []): RunListener => ({
  filling() {},
  progress() {},
  tested() {},
  recovering: ({ iteration, from }) => lines.push(`${iteration} to ${from}`),
  note: (line) => lines.push(line),
});

/**
 * Starts or continues training in a folder. The parameters become NaN before iteration 11 until the run has recovered.
 */
async function train(
  path: string,
  configuration: Configuration,
  { stopAfter, poisonedAt = 11, lines }: { stopAfter?: number; poisonedAt?: number; lines?: string[] } = {},
): Promise<Summary | undefined> {
  const there = await Deno.stat(`${path}/config.json`).then(() => true, () => false);
  using directory = await (there ? RunDirectory.open(path) : RunDirectory.create(path, configuration));
  const gpu = await Gpu.request();
  try {
    const trainer = new PoisonedTrainer(new Context(gpu), configuration, digits);
    trainer.poisonedAt = poisonedAt;
    if (there) {
      const checkpoint = await newestCheckpoint(path, () => {});
      restoreTrainer(trainer, checkpoint);
      await directory.rewind(checkpoint, () => {});
    }
    const run = new TrainingRun(trainer, configuration, digits, directory, listener(lines));
    return await run.run({ stopAfter, signal: new AbortController().signal });
  } finally {
    gpu.destroy();
  }
}

async function withFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const files = (path: string) =>
  Promise.all(
    ["model.safetensors", "checkpoints/00000016.safetensors", "metrics.jsonl"]
      .map((name) => reproducible(`${path}/${name}`)),
  );

const checkpointName = (iteration: number) => `${String(iteration).padStart(8, "0")}.safetensors`;
const namesIn = (path: string) => [...Deno.readDirSync(path)].map(({ name }) => name).sort();

Deno.test("A run whose parameters become NaN goes back and ends well: twice the same, and stopped and resumed", async () => {
  await withFolder(async (folder) => {
    const lines: string[] = [];
    const summary = await train(`${folder}/once`, quick, { lines });
    assert.deepEqual(lines, ["11 to 6"]);
    assert.deepEqual(summary!.recoveries.map(({ iteration, began, from }) => [iteration, began, from]), [
      [11, 11, 6],
    ]);
    assert(Number.isFinite(summary!.testLoss));

    await train(`${folder}/again`, quick);
    // Iterations 8 and 13, before and after the run went back, lie between two checkpoints.
    assert.equal(await train(`${folder}/parts`, quick, { stopAfter: 8 }), undefined);
    assert.equal(await train(`${folder}/parts`, quick, { stopAfter: 5 }), undefined);
    assert.deepEqual(namesIn(`${folder}/parts/checkpoints`), [0, 6, 9, 12, 13].map(checkpointName));
    assert.deepEqual((await train(`${folder}/parts`, quick))!.recoveries, summary!.recoveries);
    const expected = await files(`${folder}/once`);
    for (const other of ["again", "parts"]) {
      assert.deepEqual(await files(`${folder}/${other}`), expected, other);
    }
    const rows = new TextDecoder().decode(expected[2]).trim().split("\n").map((line) => JSON.parse(line))
      .filter((row) => row.set === undefined);
    assert.deepEqual(
      rows.map((row) => row.iteration),
      Array.from({ length: 16 }, (_, i) => i),
    );
    assert.deepEqual(rows.filter((row) => row.recoveries).map((row) => [row.iteration, row.recoveries]), [
      [6, summary!.recoveries],
    ]);
    // The rate is a tenth of the schedule's first rate, and rises.
    assert.deepEqual(rows.slice(5, 8).map((row) => row.learningRate.toFixed(6)), [
      "0.100000",
      "0.010000",
      "0.010100",
    ]);
  });
});

Deno.test("A run that diverges again and again stops in one line, which says what was tried, at a checkpoint from before", async () => {
  await withFolder(async (folder) => {
    const hopeless = { ...quick, divergenceLimit: 1e-9, recover: 2 };
    await assert.rejects(train(`${folder}/first`, hopeless), {
      name: "DivergenceError",
      message: /^training diverged at iteration 0 \(likelihood term .*\); nothing has been learned by then/,
    });
    const path = `${folder}/later`;
    await train(path, { ...quick, recover: 2 }, { stopAfter: 6, poisonedAt: Infinity });
    const lines: string[] = [];
    await assert.rejects(train(path, hopeless, { lines }), (error) => {
      assert(error instanceof DivergenceError);
      assert.match(
        error.message,
        /^training diverged at iteration 0 .*; recovery failed from 3 .*, from 0 with the rate times 0\.01 .*; resume with/,
      );
      return true;
    });
    assert.deepEqual(lines, ["6 to 3", "3 to 0"]);
    await assert.rejects(train(path, { ...hopeless, recover: 0 }), /with --set recover=3/);
  });
});

const report = (iteration: number, values: Partial<IterationReport>): IterationReport => ({
  ...{
    iteration,
    learningRate: 0.1,
    loss: 2,
    crossEntropy: 2,
    accuracy: 0.5,
    realScore: 3,
    generatedScore: 3,
  },
  ...{ secondLoss: 2, secondCrossEntropy: 2, secondRealScore: 3, secondGeneratedScore: 3, gradientNorm: 0.2 },
  ...values,
});

Deno.test("watch: signs of divergence, when they began, and the same state in pieces", () => {
  const calm = Array.from({ length: 20 }, (_, i) => report(i, {}));
  // The gap is 1 at iteration 20 and doubles every two iterations. Its mean first exceeds 3, and later 40.
  const parting = Array.from({ length: 40 }, (_, i) => report(20 + i, { realScore: 3 + 2 ** (i / 2) }));
  const { sign, health } = watch(noRecovery.health, [...calm, ...parting], 10);
  assert.deepEqual([sign!.began, sign!.iteration], [gapAbove(3), gapAbove(40)]);
  assert.match(sign!.seen, /^\|E\(real\) − E\(generated\)\| 4\d\.\d$/);
  let pieces: Health = noRecovery.health;
  for (const one of [...calm, ...parting].slice(0, sign!.iteration + 1)) {
    pieces = watch(JSON.parse(JSON.stringify(pieces)), [one], 10).health;
  }
  assert.deepEqual(pieces, health);

  /** The mean over the last iterations, computed again here. Each new value has weight 1/8. */
  function gapAbove(bound: number): number {
    let mean = 0;
    for (let i = 0;; i++) {
      mean = 7 / 8 * mean + 2 ** (i / 2) / 8;
      if (mean > bound) return 20 + i;
    }
  }

  // One bad batch is not a sign. A cross-entropy that stays at 10 is one, and so are gradients ten thousand times the
  // first ones.
  const spike = calm.map((one, i) => i === 10 ? { ...one, crossEntropy: 9, gradientNorm: 20 } : one);
  assert.equal(watch(noRecovery.health, spike, 10).sign, undefined);
  assert.equal(watch(noRecovery.health, spike, 10).health.leaningSince, undefined);
  const lost = calm.map((one, i) => i < 10 ? one : { ...one, crossEntropy: 10 });
  assert.match(
    watch(noRecovery.health, lost, 10).sign!.seen,
    /^cross-entropy 2\.\d+ above that of guessing$/,
  );
  const steep = calm.map((one, i) => i < 10 ? one : { ...one, gradientNorm: 2000 });
  assert.equal(watch(noRecovery.health, steep, 10).sign!.iteration, 10);
  // A plain classifier reports neither energies nor SAM's gradient.
  const plain = { realScore: NaN, generatedScore: NaN, gradientNorm: NaN };
  assert.equal(watch(noRecovery.health, calm.map((one) => ({ ...one, ...plain })), 10).sign, undefined);
  // The GPU found this after the last report.
  const found = watch(noRecovery.health, calm, 10, { iteration: 20, likelihood: NaN, loss: NaN });
  assert.deepEqual(found.sign, { iteration: 20, began: 20, seen: "likelihood term NaN, loss NaN" });
});

Deno.test("watch: what a run begins with is no sign, until it has come down and rises again", () => {
  const rows = (crossEntropies: number[], energyGaps: number[]) =>
    crossEntropies.map((crossEntropy, i) =>
      report(i, { crossEntropy, realScore: 3 + energyGaps[i]!, generatedScore: 3 })
    );
  // A model of other classes starts with a cross-entropy of 9 and a gap of 60. Training lowers both.
  const learning = rows([9, 9, 8.5, 8, 7, 6, 5, 4, 3, 2], [60, 55, 50, 45, 40, 35, 30, 25, 20, 15]);
  const { health, sign } = watch(noRecovery.health, learning, 10);
  assert.equal(sign, undefined);
  assert.equal(health.leaningSince, undefined);
  const mean = (values: number[]) => values.reduce((mean, value) => mean + (value - mean) / 8);
  const gap = mean([60, 55, 50, 45, 40, 35, 30, 25, 20, 15]);
  const above = mean([9, 9, 8.5, 8, 7, 6, 5, 4, 3, 2]) - Math.log(10);
  assert.ok(Math.abs(health.begun!.energyGap! - gap) < 1e-9);
  assert.ok(Math.abs(health.begun!.crossEntropy! - above) < 1e-9);
  assert.deepEqual(parseRecoveryState({ attempts: [], health }).health, health);
  // The run's own mark is its lowest level so far. At 2.3 above that, the run goes back. The message states how far it
  // is above guessing.
  const rising = Array.from({ length: 20 }, (_, i) => report(10 + i, { crossEntropy: 12 }));
  const taken = watch(health, rising, 10).sign!;
  assert.match(taken.seen, /^cross-entropy \d\.\d\d above that of guessing$/);
  const level = Number(/\d\.\d+/.exec(taken.seen)![0]);
  assert.ok(level > above + 2.3 && level < above + 3.3, taken.seen);
  // Once it has come down, the usual bounds apply.
  const calm = Array.from({ length: 60 }, (_, i) => report(10 + i, { crossEntropy: 2 }));
  assert.equal(watch(health, calm, 10).health.begun, undefined);
});

Deno.test("decide: a checkpoint from an interval before the trouble, then one further with each attempt", () => {
  const sign = { iteration: 37, began: 33, seen: "cross-entropy" };
  const from = (attempts: readonly Attempt[], checkpoints: readonly number[]) => {
    const decision = decide(sign, attempts, 3, checkpoints, 5);
    return decision.kind === "back" ? decision.attempt.from : decision.because;
  };
  const attempt = { ...sign, from: 25 };
  const ladder = [0, 10, 20, 25, 30, 35];
  assert.equal(from([], ladder), 25);
  assert.equal(from([attempt], ladder), 20);
  assert.equal(from([attempt, attempt], ladder), 10);
  assert.equal(from([attempt], [0, 30]), 0);
  // If there are few checkpoints, the first clear one is enough.
  assert.equal(from([], [0, 25, 45]), 25);
  assert.equal(from([], [33]), 33);
  assert.equal(from([], [35]), "there is no checkpoint from before");
  assert.match(
    String(from([attempt, attempt, attempt], ladder)),
    /^recovery failed from 25 with the rate times 0\.1 \(up to 37\), from/,
  );
});

Deno.test("Recovered runs draw from other streams, at a rate that rises from a tenth to a fifth", () => {
  assert.equal(streamSeed(7, 0), 7);
  const seeds = [1, 2, 3].flatMap((attempts) => [streamSeed(7, attempts), streamSeed(2 ** 40 + 7, attempts)]);
  assert(seeds.every(Number.isSafeInteger) && new Set([7, ...seeds]).size === 7);
  const attempt = { iteration: 50, began: 40, seen: "", from: 30 };
  const state = (count: number): Attempt[] => Array(count).fill(attempt);
  assert.equal(rateFactor(state(0), 40, 0), 1);
  const factors = [30, 80, 130, 1000].map((iteration) => rateFactor(state(1), iteration, 4).toFixed(6));
  assert.deepEqual(factors, ["0.100000", "0.150000", "0.200000", "0.200000"]);
  assert.equal(rateFactor(state(2), 130, 200).toFixed(6), "0.015000");
});

Deno.test("A state of recovery that no run has written is refused", () => {
  const good = {
    attempts: [{ iteration: 5, began: 4, seen: "x", from: 2 }],
    health: { means: { energyGap: 1 } },
  };
  assert.deepEqual(parseRecoveryState(good), good);
  const bad = [
    null,
    {},
    { ...good, attempts: [{}] },
    { ...good, attempts: 3 },
    { ...good, attempts: [{ ...good.attempts[0], from: -1 }] },
    { ...good, health: { means: { energyGap: null } } },
    { ...good, health: { means: {}, leaningSince: 0.5 } },
    { ...good, health: { means: {}, firstGradient: "1" } },
  ];
  for (const state of bad) {
    assert.throws(() => parseRecoveryState(state), CheckpointError, JSON.stringify(state));
  }
});

Deno.test("superfluousCheckpoints: the newest, and older ones at doubling distances down to the first", () => {
  let [kept, interrupted]: [number[], number[]] = [[], []];
  for (let iteration = 0; iteration <= 1000; iteration += 10) {
    kept.push(iteration);
    interrupted.push(iteration);
    const delay = (list: number[]) => {
      const gone = new Set(superfluousCheckpoints(list, 3, 10));
      return list.filter((one) => !gone.has(one));
    };
    kept = delay(kept);
    interrupted = delay(interrupted);
    if (iteration % 70 === 0) interrupted = delay([...interrupted, iteration + 3]);
    assert.deepEqual(
      kept.slice(-3),
      [iteration - 20, iteration - 10, iteration].filter((one) => one >= 0).slice(-3),
    );
    assert.equal(kept[0], 0);
    assert(kept.length <= 4 + Math.max(0, Math.ceil(Math.log2(Math.max(1, iteration / 20)))), kept.join());
    // Going back by any distance overshoots by at most about three times.
    for (const back of [40, 100, 200, 400].filter((distance) => distance <= iteration)) {
      const found = kept.findLast((one) => one <= iteration - back)!;
      assert(iteration - found <= 3 * back, `${iteration}: ${back} back is ${found} of ${kept.join()}`);
    }
    assert.deepEqual(
      interrupted.filter((one) => one % 10 === 0),
      kept,
      "interruptions leave the ladder alone",
    );
  }
  assert.deepEqual(superfluousCheckpoints([0, 10, 20, 30, 40], 2, 0), [20, 10, 0]);
  assert.deepEqual(superfluousCheckpoints([], 2, 10), []);
});

Deno.test("changedConfiguration: what may change is recorded, what may not is refused with the reason", () => {
  const at = (iteration: number, attempts = 0) => ({ iteration, attempts });
  assert.equal(changedConfiguration(quick, { ...quick }, at(5)), quick);
  const first = changedConfiguration(quick, { ...quick, learningRate: 0.02, seed: 9 }, at(5, 2));
  assert.deepEqual(first.history, [{ ...at(5, 2), changes: { learningRate: [0.1, 0.02], seed: [1, 9] } }]);
  const second = changedConfiguration(first, { ...first, decayIterations: [9] }, at(7, 3));
  assert.deepEqual(second.history.slice(1), [{ ...at(7, 3), changes: { decayIterations: [[], [9]] } }]);
  // The rate set by hand settled two attempts. The decays do not settle the third.
  assert.deepEqual([quick, first, second].map(settledAttempts), [0, 2, 2]);
  assert.deepEqual(parseConfiguration(JSON.parse(JSON.stringify(second))), second);
  for (
    const [change, message] of [
      [
        { width: 2 },
        /^width cannot be changed when a run is resumed: the parameters so far are those of that model/,
      ],
      [{ dataLimit: 100 }, /^dataLimit cannot be .* images/],
      [{ labelledBatch: 9 }, /^labelledBatch cannot be .* which images an iteration sees/],
      [{ optimizer: "adam" }, /^optimizer cannot be .* state/],
      [{ shards: 2 }, /^shards cannot be changed when a run is resumed: /],
      [{ ascent: "local" }, /^ascent cannot be changed when a run is resumed: /],
      [{ likelihoodWeight: 0 }, /^likelihoodWeight cannot be .* replay buffer/],
    ] as const
  ) {
    assert.throws(
      () => changedConfiguration(quick, { ...quick, ...change }, at(5)),
      (error) => error instanceof ConfigurationError && message.test(error.message),
    );
  }
});

Deno.test("guessingWarning: accuracies that guessing reaches, and losses far above it", () => {
  const result = (hits: number, testLoss = 2) => ({
    ...{ testAccuracy: hits / 360, testAccuracyInterval: shareInterval(hits / 360, 360), testImages: 360 },
    ...{ testLoss, ece: 0 },
  });
  const withLabels = (label: (image: number) => number) => ({
    ...digits,
    test: { ...digits.test, labels: Uint32Array.from({ length: 360 }, (_, image) => label(image)) },
  });
  const even = withLabels((image) => image % 10);
  // Wilson's interval of 48 hits begins at 10.2 %, that of 47 hits at 9.96 %.
  assert.equal(guessingWarning(even, result(48)), undefined);
  assert.match(
    guessingWarning(even, result(47))!,
    /^this model is no better than guessing: test accuracy 13\.1 %, loss 2\.00 \(guessing: 10\.0 %, 2\.30\)$/,
  );
  assert.match(
    guessingWarning(withLabels((image) => image % 2 && image % 10), result(180))!,
    /guessing: 50\.0 %/,
  );
  assert.match(guessingWarning(even, result(5))!, /1\.39 %/);
  assert.match(guessingWarning(even, result(200, 1413))!, /loss 1\.41e\+3/);
  assert.equal(guessingWarning({ ...even, classNames: ["one"] }, result(360, 0)), undefined);
});
