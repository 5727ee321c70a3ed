import assert from "node:assert/strict";
import { processesInOne } from "../distributed/processes_in_one.ts";
import { type Communicator, oneProcess } from "../../src/distributed/communicator.ts";
import { loadDataset } from "../../src/data/load.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { Context } from "../../src/tensor/context.ts";
import { decodeCheckpoint, encodeCheckpoint, restoreTrainer } from "../../src/train/checkpoint/checkpoint.ts";
import { gatherParts } from "../../src/train/checkpoint/parts.ts";
import { type Configuration, parseConfiguration } from "../../src/train/configuration.ts";
import type { IterationReport } from "../../src/train/iteration_report.ts";
import { preset } from "../../src/train/presets.ts";
import { Trainer } from "../../src/train/trainer.ts";

const digits = await loadDataset({ name: "digits", limit: 200 });

const small = {
  ...preset("digits"),
  ...{ depth: 10, width: 1, likelihoodBatch: 8, labelledBatch: 8, bufferSize: 40, steps: 2 },
  ...{ warmup: 2, decayIterations: [], learningRate: 0.02, rho: 0.05, reinitProbability: 0.3 },
};
const batchNorm = parseConfiguration({ ...small, norm: "batch", shards: 2 });
/** Everything random at once. */
const actNorm = parseConfiguration({
  ...small,
  ...{ norm: "act", shards: 2, dropout: 0.2, inputNoise: 0.03, noiseScale: 0.01 },
});

/** What a job leaves. */
interface Outcome {
  readonly checkpoint: Uint8Array<ArrayBuffer>;
  readonly reports: IterationReport[];
}

/** Trains with a number of processes, from the beginning or from a checkpoint. */
async function train(
  configuration: Configuration,
  processes: number,
  iterations: number,
  from?: Uint8Array,
): Promise<Outcome> {
  const communicators = processes === 1 ? [oneProcess] : processesInOne(processes);
  const [first, ...others] = await Promise.all(communicators.map(async (communicator) => {
    const gpu = await Gpu.request();
    try {
      return await trainOne(gpu, configuration, communicator, iterations, from);
    } finally {
      gpu.destroy();
    }
  }));
  for (const { reports } of others) assert.deepEqual(reports, first!.reports);
  return { checkpoint: first!.checkpoint!, reports: first!.reports };
}

async function trainOne(
  gpu: Gpu,
  configuration: Configuration,
  communicator: Communicator,
  iterations: number,
  from: Uint8Array | undefined,
) {
  const trainer = new Trainer(new Context(gpu), configuration, digits, communicator);
  if (from) restoreTrainer(trainer, await decodeCheckpoint(from));
  else await trainer.fillReplayBuffer();
  for (let i = 0; i < iterations; i++) await trainer.advance();
  const reports = await trainer.fetchReports();
  if (communicator.rank === 0) {
    return { checkpoint: await encodeCheckpoint(trainer, configuration, digits), reports };
  }
  await gatherParts(trainer);
  return { checkpoint: undefined, reports };
}

for (const [name, configuration] of Object.entries({ batchNorm, actNorm })) {
  for (const ascent of ["global", "local"] as const) {
    Deno.test(`Two shards of ${name} with ${ascent} ascent: the same bits by one and two processes`, async () => {
      const options = { ...configuration, ascent };
      const one = await train(options, 1, 6);
      const two = await train(options, 2, 6);
      assert.deepEqual(two.reports, one.reports);
      assert.deepEqual(two.checkpoint, one.checkpoint);
      const middle = await train(options, 2, 3);
      assert.deepEqual((await train(options, 1, 3, middle.checkpoint)).checkpoint, one.checkpoint);
      const again = await train(options, 1, 3);
      assert.deepEqual(again.checkpoint, middle.checkpoint);
      assert.deepEqual((await train(options, 2, 3, again.checkpoint)).checkpoint, one.checkpoint);
    });
  }
}
