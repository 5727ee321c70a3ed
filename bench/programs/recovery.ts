/**
 * What becomes of runs that would diverge. Trains each kind with several seeds, small batches and a checkpoint every
 * ten iterations, and reports what was tried and how it ended. Some recipes are healthy, and none of those may be taken
 * back. Runs that exist already are not repeated, so an interrupted bench continues where it stopped.
 */

import { parseArgs } from "node:util";
import { print, projectPath, wholeNumber } from "../../src/cli/command.ts";
import { table } from "../../src/cli/format.ts";
import { loadDataset } from "../../src/data/load.ts";
import { DivergenceError } from "../../src/errors.ts";
import { percent } from "../../src/evaluate/percent.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { Context } from "../../src/tensor/context.ts";
import { parseConfiguration } from "../../src/train/configuration.ts";
import { preset } from "../../src/train/presets.ts";
import { RunDirectory } from "../../src/train/run/run_directory.ts";
import { silentListener } from "../../src/train/run_listener.ts";
import { type Summary, TrainingRun } from "../../src/train/training_run.ts";
import { bench } from "../lib/bench.ts";
import { PoisonedTrainer } from "../lib/poisoned_trainer.ts";
import { exists } from "../lib/run_commands.ts";

interface Kind {
  readonly preset: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly iterations: number;
  /** Iteration before which the parameters become NaN, once. */
  readonly poisonedAt?: number;
}

const short = 120;
const jemRecipe = { norm: "none", initialisation: "uniform", gradientClamp: null, warmup: 0 };

const sick: Readonly<Record<string, Kind>> = {
  "rate 500": { preset: "digits", options: { learningRate: 500 }, iterations: short },
  "rate 5": { preset: "digits", options: { learningRate: 5 }, iterations: short },
  "step size 100": { preset: "digits", options: { stepSize: 100 }, iterations: 150 },
  "ρ 100": { preset: "digits", options: { rho: 100 }, iterations: short },
  "likelihood 1000, rate 1": {
    preset: "digits",
    options: { likelihoodWeight: 1000, learningRate: 1 },
    iterations: short,
  },
  "NaN planted": { preset: "digits", options: {}, iterations: short, poisonedAt: 45 },
  "JEM without warm-up, rate 0.1": {
    preset: "digits-jem",
    options: { ...jemRecipe, steps: 5, learningRate: 0.1 },
    iterations: short,
  },
};

const healthy: Readonly<Record<string, Kind>> = Object.fromEntries(
  ["digits", "digits-jem", "digits-jempp", "digits-softmax"].map((name) => [
    name,
    { preset: name, options: {}, iterations: 600 },
  ]),
);

/** What a run left. */
interface Outcome {
  readonly summary?: Summary;
  /** Why it stopped, if it did. */
  readonly stopped?: string;
}

const dataset = await loadDataset({ name: "digits" });

async function train(path: string, kind: Kind, seed: number): Promise<Outcome> {
  const configuration = parseConfiguration({
    ...preset(kind.preset),
    ...{ likelihoodBatch: 16, labelledBatch: 16, bufferSize: 100 },
    ...{ checkpointEvery: 10, samplesEvery: 0, evaluateEvery: 0, iterations: kind.iterations, seed },
    ...kind.options,
  });
  // Left by an interruption.
  if (await exists(path)) await Deno.remove(path, { recursive: true });
  using directory = await RunDirectory.create(path, configuration);
  const gpu = await Gpu.request();
  const trainer = new PoisonedTrainer(new Context(gpu), configuration, dataset);
  trainer.poisonedAt = kind.poisonedAt ?? Infinity;
  trainer.record();
  try {
    const run = new TrainingRun(trainer, configuration, dataset, directory, silentListener);
    const summary = await run.run({ signal: new AbortController().signal });
    return { summary: summary! };
  } catch (error) {
    if (!(error instanceof DivergenceError)) throw error;
    return { stopped: error.message };
  } finally {
    gpu.destroy();
  }
}

function row(name: string, seed: number, { summary, stopped }: Outcome): string[] {
  if (!summary) return [name, String(seed), stopped!, "", ""];
  const recoveries = summary.recoveries.map(({ iteration, from, seen }) =>
    `${iteration} → ${from} (${seen})`
  );
  return [
    ...[name, String(seed), recoveries.join("; ") || "none"],
    ...[percent(summary.testAccuracy), summary.testLoss.toPrecision(3)],
  ];
}

await bench("recovery", async (args) => {
  const { values, positionals: words } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      folder: { type: "string", default: projectPath("runs/recovery") },
      seeds: { type: "string", default: "1,2,3" },
      debug: { type: "boolean" },
    },
  });
  const rows: string[][] = [];
  const seeds = values.seeds.split(",").map((text) => wholeNumber("--seeds", text)!);
  for (const kinds of [sick, healthy]) {
    for (const seed of seeds) {
      for (const [name, kind] of Object.entries(kinds)) {
        if (words.length > 0 && !words.some((word) => name.includes(word))) continue;
        const path = `${values.folder}/${name.replaceAll(/[^\p{L}\d]+/gu, "-")}-${seed}`;
        const file = `${path}/outcome.json`;
        const outcome: Outcome = await exists(file)
          ? JSON.parse(await Deno.readTextFile(file))
          : await train(path, kind, seed);
        await Deno.writeTextFile(file, JSON.stringify(outcome));
        rows.push(row(name, seed, outcome));
        print(rows.at(-1)!.join("  "));
      }
    }
  }
  print(table([["run", "seed", "taken back", "test accuracy", "test loss"], ...rows]));
});
