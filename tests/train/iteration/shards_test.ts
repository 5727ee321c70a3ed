import assert from "node:assert/strict";
import { processesInOne } from "../../distributed/processes_in_one.ts";
import { type Communicator, oneProcess } from "../../../src/distributed/communicator.ts";
import { loadDataset } from "../../../src/data/load.ts";
import { ConfigurationError } from "../../../src/errors.ts";
import type { Pass } from "../../../src/optim/sharpness_aware.ts";
import { TrainingStep } from "../../../src/jem/training_step.ts";
import { Context } from "../../../src/tensor/context.ts";
import {
  decodeCheckpoint,
  encodeCheckpoint,
  modelOnly,
  requireTrainingState,
  restoreTrainer,
} from "../../../src/train/checkpoint/checkpoint.ts";
import { gatherParts } from "../../../src/train/checkpoint/parts.ts";
import { type Configuration, parseConfiguration } from "../../../src/train/configuration.ts";
import type { IterationReport } from "../../../src/train/iteration/report.ts";
import { preset } from "../../../src/train/presets.ts";
import { Trainer } from "../../../src/train/trainer.ts";
import { testGpu } from "../../kernels/harness.ts";
import { requireSameBytes } from "../../same_bytes.ts";

const digits = await loadDataset({ name: "digits", limit: 200 });

const small = {
  ...preset("digits"),
  ...{ depth: 10, width: 1, likelihoodBatch: 8, labelledBatch: 8, bufferSize: 40, steps: 2 },
  ...{ warmup: 2, decayIterations: [], learningRate: 0.02, rho: 0.05, reinitProbability: 0.3 },
};
const batchNorm = parseConfiguration({ ...small, norm: "batch", shards: 2 });
/** Uses everything random at once. */
const actNorm = parseConfiguration({
  ...small,
  ...{ norm: "act", shards: 2, dropout: 0.2, inputNoise: 0.03, noiseScale: 0.01 },
});
/** The unit roundoff of float32. */
const roundoff = 2 ** -24;

async function trainerOf(configuration: Configuration, communicator: Communicator = oneProcess) {
  return new Trainer(new Context(await testGpu()), configuration, digits, communicator);
}

interface Outcome {
  readonly checkpoint: Uint8Array<ArrayBuffer>;
  readonly reports: IterationReport[];
}

/** Trains with several processes, from the beginning or from a checkpoint. */
async function train(
  configuration: Configuration,
  processes: number,
  iterations: number,
  from?: Uint8Array,
): Promise<Outcome> {
  const communicators = processes === 1 ? [oneProcess] : processesInOne(processes);
  const [first, ...others] = await Promise.all(communicators.map(async (communicator) => {
    const trainer = await trainerOf(configuration, communicator);
    if (from) restoreTrainer(trainer, await decodeCheckpoint(from));
    else await trainer.fillReplayBuffer();
    for (let i = 0; i < iterations; i++) await trainer.advance();
    const reports = await trainer.fetchReports();
    if (communicator.rank === 0) {
      return { checkpoint: await encodeCheckpoint(trainer, configuration, digits), reports };
    }
    await gatherParts(trainer);
    return { checkpoint: undefined, reports };
  }));
  for (const { reports } of others) assert.deepEqual(reports, first!.reports);
  return { checkpoint: first!.checkpoint!, reports: first!.reports };
}

for (const [name, configuration] of Object.entries({ batchNorm, actNorm })) {
  for (const ascent of ["global", "local"] as const) {
    Deno.test(`Two shards of ${name} with ${ascent} ascent: the same bits by one and two processes`, async () => {
      const options = { ...configuration, ascent };
      const one = await train(options, 1, 6);
      const two = await train(options, 2, 6);
      assert.deepEqual(two.reports, one.reports);
      requireSameBytes(two.checkpoint, one.checkpoint, "the checkpoint");
      if (ascent === "local") return;
      const middle = await train(options, 2, 3);
      requireSameBytes(
        (await train(options, 1, 3, middle.checkpoint)).checkpoint,
        one.checkpoint,
        "the checkpoint",
      );
      const again = await train(options, 1, 3);
      requireSameBytes(again.checkpoint, middle.checkpoint, "the checkpoint");
      requireSameBytes(
        (await train(options, 2, 3, again.checkpoint)).checkpoint,
        one.checkpoint,
        "the checkpoint",
      );
    });
  }
}

Deno.test("Three shards of a plain classifier: the same bits by one and three processes, with batches uploaded as well", async () => {
  const configuration = parseConfiguration({
    ...small,
    ...{ likelihoodWeight: 0, steps: 0, labelledBatch: 12, shards: 3, optimizer: "adam", learningRate: 1e-3 },
  });
  const one = await train(configuration, 1, 4);
  // Both add up the three shards in the same order.
  requireSameBytes((await train(configuration, 3, 4)).checkpoint, one.checkpoint, "the checkpoint");
  const uploaded = await train({ ...configuration, residentMebibytes: 0 }, 1, 4);
  assert.deepEqual(uploaded.reports, one.reports);
});

Deno.test("Shards draw other random numbers than each other, and other images", async () => {
  const trainer = await trainerOf(actNorm);
  const all = trainer.inputsOf(3);
  const [first, second] = [0, 1].map((shard) => trainer.shards.inputsOf(shard, all, 1, 3));
  assert.deepEqual([...first!.stream], [1, 0, 3, 0]);
  assert.deepEqual([...second!.stream], [1, 0, 3, 2 ** 23]);
  assert.deepEqual([...first!.labelledIndices, ...second!.labelledIndices], [...all.labelledIndices]);
  assert.deepEqual([...first!.labels, ...second!.labels], [...all.labels]);
  // Each draws from its own half of the buffer.
  assert(first!.draws.subarray(0, 4).every((entry) => entry < 20));
  assert(second!.draws.subarray(0, 4).every((entry) => entry >= 20 && entry < 40));
  await trainer.fillReplayBuffer();
  const images = await trainer.sampler!.buffer.images.read();
  const half = images.length / 2;
  assert.notDeepEqual(images.subarray(0, half), images.subarray(half));
});

Deno.test("A checkpoint keeps each shard's running statistics, and their means as the model's", async () => {
  const checkpoint = await decodeCheckpoint((await train({ ...batchNorm, shards: 4 }, 2, 2)).checkpoint);
  const { shape, data } = checkpoint.tensors.get("shard_statistics")!;
  const [shards, length] = shape;
  assert.equal(shards, 4);
  // In layer order, the first norm is that of the first block. Means come before variances.
  for (const [i, kind] of ["running_mean", "running_var"].entries()) {
    const { data: values } = checkpoint.tensors.get(`f.layer1.0.bn1.${kind}`)!;
    values.forEach((value, channel) => {
      const own = Array.from({ length: 4 }, (_, s) => data[s * length! + i * values.length + channel]!);
      const mean = own.reduce((sum, one) => sum + one) / 4;
      const bound = 3 * roundoff * own.reduce((sum, one) => sum + Math.abs(one), 0) / 4;
      assert(Math.abs(value - mean) <= bound, `${value} and ${mean}`);
      assert(new Set(own).size === 4);
    });
  }
  requireTrainingState(checkpoint);
  assert.doesNotMatch([...modelOnly(checkpoint).tensors.keys()].join(), /shard/);
  checkpoint.tensors.delete("shard_statistics");
  assert.throws(
    () => requireTrainingState(checkpoint),
    /^CheckpointError: it holds no running statistics of its shards$/,
  );
  const trainer = await trainerOf({ ...batchNorm, shards: 4 });
  assert.throws(
    () => restoreTrainer(trainer, checkpoint),
    /^CheckpointError: tensor shard_statistics is missing$/,
  );
});

/** The gradients of an iteration's shards one by one. The host does the work that they share. */
async function byHand(configuration: Configuration) {
  const trainer = await trainerOf(configuration);
  await trainer.fillReplayBuffer();
  const { model, sampler, images, sharpnessAware, shards } = trainer;
  const { context, parameters } = model;
  const step = new TrainingStep(model, sharpnessAware, configuration);
  const values = trainer.inputsOf(0);
  const statistics = await model.runningStatistics.values.read();
  const passes = shards.mine.map((shard) => {
    const words = shards.inputsOf(shard, values, configuration.seed, 0);
    const tensor = (data: Uint32Array) => context.from(data, [data.length]);
    const stream = tensor(words.stream);
    const draw = () =>
      sampler!.chains({ stream, draws: tensor(words.draws), freshClasses: tensor(words.freshClasses) });
    const crop = { padding: 1, crops: tensor(words.labelledCrops) };
    const batch = {
      real: images.expand(tensor(words.likelihoodIndices)),
      labelled: images.expand(tensor(words.labelledIndices), crop),
      labels: tensor(words.labels),
      draw,
    };
    const status = context.zeros([4], "uint32");
    return step.gradientsOf(batch, { stream, status }, context.zeros([16]));
  });
  const gradientOf = async (shard: number, pass: Pass) => {
    model.runningStatistics.values.write(statistics);
    parameters.gradients.clear();
    passes[shard]!(pass);
    return (await parameters.gradients.read()).slice(0, parameters.trainableLength);
  };
  /** Lets θ climb along a gradient, computes, and restores θ. */
  const above = async <Result>(gradient: Float32Array, compute: () => Promise<Result>) => {
    const all = new Float32Array(parameters.gradients.size);
    all.set(gradient);
    parameters.gradients.write(all);
    sharpnessAware.climb();
    const result = await compute();
    const norm = (await sharpnessAware.gradientNorm.read())[0]!;
    sharpnessAware.return();
    return { result, norm };
  };
  const theta = (await parameters.values.read()).slice(0, parameters.trainableLength);
  return { gradientOf, above, theta, shards: shards.mine };
}

/** The mean of vectors in float64. */
function mean(vectors: readonly Float32Array[]): Float64Array {
  return Float64Array.from(vectors[0]!, (_, i) => {
    return vectors.reduce((sum, vector) => sum + vector[i]!, 0) / vectors.length;
  });
}

/** The sum of the magnitudes over the shards. */
function magnitudes(vectors: readonly Float32Array[]): Float64Array {
  return Float64Array.from(vectors[0]!, (_, i) => {
    return vectors.reduce((sum, vector) => sum + Math.abs(vector[i]!), 0);
  });
}

/** SGD's momentum after the first iteration, ĝ + wd·θ. The learning rate of that iteration is 0. */
async function firstMomentum(configuration: Configuration, processes: number) {
  const communicators = processes === 1 ? [oneProcess] : processesInOne(processes);
  const [first] = await Promise.all(communicators.map(async (communicator) => {
    const trainer = await trainerOf(configuration, communicator);
    await trainer.fillReplayBuffer();
    await trainer.advance();
    const [report] = await trainer.fetchReports();
    return { momentum: await trainer.optimizer.state["momentum"]!.read(), report: report! };
  }));
  return first!;
}

/**
 * Checks a momentum against the second gradients of the shards. Each of the S − 1 float32 additions errs by at most
 * half an ulp of a partial sum, which is at most Σ|ĝ_s|. Scaling, and the weight decay with its addition, err by three
 * more.
 */
function requireMean(
  momentum: Float32Array,
  gradients: readonly Float32Array[],
  { theta, weightDecay }: { theta: Float32Array; weightDecay: number },
): void {
  const [expected, sizes] = [mean(gradients), magnitudes(gradients)];
  const S = gradients.length;
  let different = 0;
  momentum.forEach((value, i) => {
    const decayed = expected[i]! + weightDecay * theta[i]!;
    const bound = roundoff *
      ((S - 1) * sizes[i]! / S + 3 * (sizes[i]! / S + Math.abs(weightDecay * theta[i]!)));
    if (!(Math.abs(value - decayed) <= bound + 2 ** -126)) different++;
  });
  assert.equal(different, 0, `${different} of ${momentum.length} elements`);
}

for (const shards of [2, 4]) {
  Deno.test(`The gradient of ${shards} shards is the mean of theirs, with global and with local ascent`, async () => {
    const global: Configuration = { ...batchNorm, shards };
    const local: Configuration = { ...global, ascent: "local" };
    const hand = await byHand(global);
    const { weightDecay } = global;
    const first: Float32Array[] = [];
    for (const shard of hand.shards) first.push(await hand.gradientOf(shard, "first"));

    const secondGradients = async () => {
      const all: Float32Array[] = [];
      for (const shard of hand.shards) all.push(await hand.gradientOf(shard, "second"));
      return all;
    };
    const together = await hand.above(Float32Array.from(mean(first)), secondGradients);
    const alone = [];
    for (const shard of hand.shards) {
      alone.push(await hand.above(first[shard]!, () => hand.gradientOf(shard, "second")));
    }

    const done = await firstMomentum(global, 1);
    // For two shards, the mean of float32 gradients is rounded the same as by hand, and so is everything that follows.
    if (shards === 2) requireMean(done.momentum, together.result, { theta: hand.theta, weightDecay });
    const norm = Math.hypot(...mean(first));
    const cancelled = Math.hypot(...magnitudes(first)) / shards / norm;
    for (const processes of [1, 2, 4].filter((processes) => shards % processes === 0)) {
      // The norm of the mean is summed in float32 from the mean, whose elements err as described for requireMean().
      const { report } = processes === 1 ? done : await firstMomentum(global, processes);
      const bound = roundoff * (shards * cancelled + Math.log2(hand.theta.length) + 4);
      assert(Math.abs(report.gradientNorm / norm - 1) < bound, `${report.gradientNorm} and ${norm}`);

      const apart = await firstMomentum(local, processes);
      requireMean(apart.momentum, alone.map(({ result }) => result), { theta: hand.theta, weightDecay });
      const norms = alone.reduce((sum, { norm }) => sum + norm, 0) / shards;
      assert(Math.abs(apart.report.gradientNorm / norms - 1) < shards * roundoff * 2);
      assert.notDeepEqual(apart.momentum, done.momentum);
    }
  });
}

/** A job of two processes that is disturbed on rank 1 before its third iteration, and its state then and later. */
async function disturbed(configuration: Configuration, disturb: (trainer: Trainer) => void) {
  return await Promise.all(
    processesInOne(2).map(async (communicator) => {
      const trainer = await trainerOf(configuration, communicator);
      await trainer.fillReplayBuffer();
      const { model: { parameters: { values } }, sampler } = trainer;
      await trainer.advance();
      await trainer.advance();
      if (communicator.rank === 1) disturb(trainer);
      const state = async () => [await values.read(), await sampler!.buffer.images.read()];
      const before = await state();
      await trainer.advance();
      await trainer.advance();
      const { reports, divergence } = await trainer.fetchUntilDivergence();
      assert.deepEqual(reports.map(({ iteration }) => iteration), [0, 1]);
      return { divergence, before, after: await state() };
    }),
  );
}

for (const [name, options] of Object.entries({ global: {}, local: { ascent: "local" }, none: { rho: 0 } })) {
  Deno.test(`What diverges on one rank stops both in the same iteration, with nothing changed; ascent ${name}`, async () => {
    const configuration = parseConfiguration({ ...batchNorm, ...options });
    const states = await disturbed(
      configuration,
      ({ model: { parameters: { values } } }) => values.write(new Float32Array(values.size).fill(NaN)),
    );
    for (const { divergence, before, after } of states) {
      assert.equal(divergence!.iteration, 2);
      assert(Number.isNaN(divergence!.loss) && Number.isNaN(divergence!.likelihood));
      assert.deepEqual(after, before);
    }
  });
}

Deno.test("A loss that is finite and too large on one rank stops both, with its values", async () => {
  // Scores of this size are far above the limit, but no sum of them overflows.
  const states = await disturbed(batchNorm, ({ model: { parameters: { values, all } } }) => {
    const { offset } = all.find(({ name }) => name === "class_output.weight")!;
    const { size } = all.find(({ name }) => name === "class_output.weight")!.value;
    values.slice(offset, [size]).write(Float32Array.from({ length: size }, (_, i) => 1e8 * Math.cos(i)));
  });
  const [healthy, ill] = states;
  assert.deepEqual(healthy!.divergence, ill!.divergence);
  const { iteration, likelihood } = ill!.divergence!;
  assert.equal(iteration, 2);
  assert(Math.abs(likelihood) > batchNorm.divergenceLimit && Number.isFinite(likelihood));
  for (const { before, after } of states) assert.deepEqual(after, before);
});

Deno.test("All ranks do what one wishes to stop, and what rank 0 wishes to report and save", async () => {
  const cases = [
    [{ stop: false, report: true, checkpoint: false }, { stop: true, report: false, checkpoint: true }],
    [{ stop: false, report: false, checkpoint: true }, { stop: false, report: true, checkpoint: false }],
  ] as const;
  const agreed = await Promise.all(
    processesInOne(2).map(async (communicator) => {
      const trainer = await trainerOf(batchNorm, communicator);
      await trainer.fillReplayBuffer();
      const all = [];
      for (const [i, wishes] of cases.entries()) {
        all.push(
          await trainer.advance((iteration) => {
            assert.equal(iteration, i + 1);
            return wishes[communicator.rank]!;
          }),
        );
      }
      return all;
    }),
  );
  const expected = [
    { stop: true, report: true, checkpoint: false },
    { stop: false, report: false, checkpoint: true },
  ];
  assert.deepEqual(agreed, [expected, expected]);
});

Deno.test("Processes that do not divide the shards are refused", async () => {
  await assert.rejects(() => trainerOf(batchNorm, { ...oneProcess, size: 3 }), (error) => {
    assert(error instanceof ConfigurationError);
    assert.equal(
      error.message,
      "configuration: shards is 2, which 3 processes cannot share evenly; " +
        "set it to a multiple of 3, or start as many processes as divide it",
    );
    return true;
  });
  await assert.rejects(
    () => trainerOf({ ...batchNorm, shards: 1 }, { ...oneProcess, size: 2 }),
    /shards is 1, which 2/,
  );
});
