/** A long run of a tiny model under observation: memory, time and files must not grow. */

import process from "node:process";
import { loadDataset } from "../../src/data/load.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { Context } from "../../src/tensor/context.ts";
import { parseConfiguration } from "../../src/train/configuration.ts";
import { preset } from "../../src/train/presets.ts";
import { checkpointNames, checkpointPath } from "../../src/train/checkpoint/folder.ts";
import { recentRows } from "../../src/train/run/metrics_file.ts";
import { RunDirectory } from "../../src/train/run/run_directory.ts";
import { Trainer } from "../../src/train/trainer.ts";
import { TrainingRun } from "../../src/train/training_run.ts";

/** What a run holds at one time. */
export interface Reading {
  readonly iteration: number;
  /** Bytes of the process's resident memory. */
  readonly host: number;
  /** Bytes of GPU memory. */
  readonly gpu: number;
  /** Processor seconds of an iteration since the last reading, including saving. */
  readonly seconds: number;
  /**
   * Bytes of the newest checkpoint, without its copy of the newest rows of `metrics.jsonl`, which is bounded by itself.
   */
  readonly checkpoint: number;
  /** Number of checkpoints that are kept. */
  readonly checkpoints: number;
  /** Bytes of `metrics.jsonl` for each iteration. */
  readonly metrics: number;
}

/** Number of readings in a run. */
const readings = 20;
/** Allowed growth of the process between the middle and the end: pages that the allocator has not returned. */
const mostGrowth = 48 * 2 ** 20;
/** Newest checkpoints that are kept, and iterations between two. */
const [kept, every] = [2, 100];
/** Most bytes of a line of `metrics.jsonl`. */
const mostMetricBytes = 1000;

/** Trains a number of iterations in a folder, and takes a reading after each twentieth of them. */
export async function soak(
  folder: string,
  iterations: number,
  told: (reading: Reading) => void,
): Promise<Reading[]> {
  const configuration = parseConfiguration({
    ...preset("digits"),
    ...{ likelihoodBatch: 8, labelledBatch: 8, bufferSize: 100, steps: 2, warmup: 0, decayIterations: [] },
    ...{
      learningRate: 0.001,
      rho: 0.05,
      iterations: iterations + 1,
      checkpointEvery: every,
      samplesEvery: 0,
    },
    ...{ evaluateEvery: 0, keepCheckpoints: kept },
  });
  const gpu = await Gpu.request();
  try {
    const trainer = new Trainer(new Context(gpu), configuration, await loadDataset({ name: "digits" }));
    using directory = await RunDirectory.create(`${folder}/run`, configuration);
    const nothing = () => {};
    const listener = {
      ...{ filling: nothing, progress: nothing, tested: nothing },
      ...{ recovering: nothing, note: nothing },
    };
    const run = new TrainingRun(
      trainer,
      configuration,
      await loadDataset({ name: "digits" }),
      directory,
      listener,
    );
    const all: Reading[] = [];
    const step = Math.ceil(iterations / readings);
    while (trainer.iteration < iterations) {
      const [before, from] = [processorSeconds(), trainer.iteration];
      const stopAfter = Math.min(step, iterations - from);
      await run.run({ stopAfter, signal: new AbortController().signal });
      const rows = (await Deno.stat(directory.file("metrics.jsonl"))).size;
      const iterationsDone = trainer.iteration;
      const newest = (await Deno.stat(checkpointPath(directory.path, iterationsDone))).size;
      const reading: Reading = {
        iteration: iterationsDone,
        host: hostBytes(),
        gpu: gpu.pool.totalBytes + (trainer.plan?.bytes ?? 0),
        seconds: (processorSeconds() - before) / stopAfter,
        checkpoint: newest - rows * Math.min(1, recentRows / iterationsDone),
        checkpoints: (await checkpointNames(directory.path)).length,
        metrics: rows / iterationsDone,
      };
      all.push(reading);
      told(reading);
    }
    return all;
  } finally {
    gpu.destroy();
  }
}

/** What grew and must not, one line each. The first quarter is left out, while caches fill and code is compiled. */
export function growth(all: readonly Reading[]): string[] {
  const settled = all.slice(Math.ceil(all.length / 4));
  const half = Math.floor(settled.length / 2);
  const [early, late] = [settled.slice(0, half), settled.slice(half)];
  const least = (part: readonly Reading[], of: (reading: Reading) => number) => Math.min(...part.map(of));
  const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  const found: string[] = [];
  const compare = (
    name: string,
    of: (reading: Reading) => number,
    most: number,
    show: (value: number) => string,
  ) => {
    const [before, after] = [least(early, of), least(late, of)];
    if (after > before + most) found.push(`${name} grew from ${show(before)} to ${show(after)}`);
  };
  compare("host memory", ({ host }) => host, mostGrowth, mebibytes);
  compare("GPU memory", ({ gpu }) => gpu, 0, mebibytes);
  compare("a checkpoint", ({ checkpoint }) => checkpoint, 2 ** 16, mebibytes);
  // The least of several times leaves out what other programs do to a machine.
  compare(
    "the time of an iteration",
    ({ seconds }) => seconds,
    least(early, ({ seconds }) => seconds) / 2,
    (seconds) => `${(1000 * seconds).toFixed(1)} ms`,
  );
  const over = all.find(({ iteration, checkpoints }) => checkpoints > mostCheckpoints(iteration));
  if (over) found.push(`${over.checkpoints} checkpoints are kept at iteration ${over.iteration}`);
  const metrics = all.at(-1)?.metrics ?? 0;
  if (metrics > mostMetricBytes) {
    found.push(`metrics.jsonl has ${Math.round(metrics)} bytes for each iteration`);
  }
  return found;
}

function hostBytes(): number {
  (globalThis as { gc?: () => void }).gc?.();
  return Deno.memoryUsage().rss;
}

function processorSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** The newest checkpoints, the newest regular ones, and one for each doubling of the distance, as in `ladder.ts`. */
function mostCheckpoints(iteration: number): number {
  return 2 * kept + Math.ceil(Math.log2(Math.max(2, iteration / every))) + 1;
}
