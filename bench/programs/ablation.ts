/**
 * What each ingredient of SADA-JEM does on the digits: trains five recipes with three seeds each,
 * evaluates every run, and compares the recipes. A run that is already there is not repeated, so an interrupted ablation
 * goes on where it stopped.
 */

import { parseArgs } from "node:util";
import { projectPath, wholeNumber } from "../../src/cli/command.ts";
import { preset } from "../../src/train/presets.ts";
import { bench } from "../lib/bench.ts";
import { command, exists, trainDigits } from "../lib/run_commands.ts";

/**
 * The `digits` preset is SADA-JEM; a recipe is what it changes of it. All recipes start chains at informative samples and
 * have batch norm, so that they differ in the ingredients alone.
 */
const recipes = {
  "softmax": ["likelihoodWeight=0", "rho=0"],
  "jem": ["augmentLikelihood=true", "rho=0"],
  "jem-sam": ["augmentLikelihood=true"],
  "jem-da": ["rho=0"],
  "sada-jem": [],
} as const satisfies Record<string, readonly string[]>;

/** A classifier with a seed of its own, in whose features the samples of all runs are compared with real digits. */
const referee = { name: "referee", recipe: "softmax", seed: 100 } as const;

/** Attacks of a length that suits many runs, on images enough to tell recipes apart. */
const evaluation = ["--attack-images", "120", "--attack-steps", "20", "--generated-images", "500"];

type Recipe = keyof typeof recipes;

const names = Object.keys(recipes) as Recipe[];

/** The preset's schedule, shrunk to a length, as settings. */
function scheduleOf(length: number): string[] {
  const { iterations: presetLength, warmup, decayIterations } = preset("digits");
  const scaled = (iteration: number) => Math.round(iteration * length / presetLength!);
  return [
    `iterations=${length}`,
    `warmup=${scaled(warmup)}`,
    `decayIterations=${JSON.stringify(decayIterations.map(scaled))}`,
  ];
}

await bench("ablation", async (args) => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      folder: { type: "string", default: projectPath("runs/ablation") },
      seeds: { type: "string", default: "1,2,3" },
      iterations: { type: "string", default: "200" },
      out: { type: "string", default: projectPath("docs/images/ablation") },
    },
  });
  const { folder, out } = values;
  const schedule = scheduleOf(wholeNumber("--iterations", values.iterations, 1)!);
  const seeds = values.seeds.split(",").map((seed) => wholeNumber("--seeds", seed)!);
  const train = async (run: string, recipe: Recipe, seed: number) =>
    await trainDigits(run, [...recipes[recipe], ...schedule, `seed=${seed}`]);
  const pathOf = (recipe: Recipe, seed: number) => `${folder}/${recipe}-${seed}`;

  const refereeRun = `${folder}/${referee.name}`;
  await train(refereeRun, referee.recipe, referee.seed);
  for (const seed of seeds) {
    for (const recipe of names) {
      const run = pathOf(recipe, seed);
      await train(run, recipe, seed);
      if (await exists(`${run}/evaluation/results.json`)) continue;
      await command("evaluate", "--model", run, "--referee", refereeRun, ...evaluation);
    }
  }
  const columns = names.flatMap((recipe) => seeds.map((seed) => pathOf(recipe, seed)));
  await command("compare", ...columns, "--out", out);
});
