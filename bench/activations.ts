/**
 * Trains the digits with values between layers in float32 and in float16, several seeds each, and prints the results:
 * `deno run --allow-read --allow-write --allow-run=deno bench/activations.ts` (4 to 8 minutes a training on two cores).
 * A run that is already there is not repeated.
 */

import { parseArgs } from "node:util";
import { activationTypes } from "../src/nn/wide_resnet.ts";
import type { Summary } from "../src/train/training_run.ts";

const { values } = parseArgs({
  options: {
    folder: { type: "string", default: "runs/activations" },
    seeds: { type: "string", default: "1,2,3" },
  },
});
const script = new URL("../src/cli/train.ts", import.meta.url).pathname;

async function readSummary(run: string): Promise<Summary | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(`${run}/summary.json`));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function train(run: string, settings: readonly string[]): Promise<void> {
  const args = ["run", "--quiet", "--allow-read", "--allow-write", script, "--run-dir", run, ...settings];
  const { code } = await new Deno.Command("deno", { args, stdin: "null" }).spawn().status;
  if (code !== 0) throw new Error(`train ${settings.join(" ")} ended with status ${code}`);
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
const lines = ["seed  activations  accuracy  cross-entropy  calibration error  seconds"];
for (const seed of values.seeds.split(",")) {
  for (const activations of activationTypes) {
    const run = `${values.folder}/${activations}-${seed}`;
    if (!await readSummary(run)) await train(run, ["--seed", seed, "--set", `activations=${activations}`]);
    const { testAccuracy, testLoss, ece, seconds } = (await readSummary(run))!;
    const columns = [percent(testAccuracy), testLoss.toFixed(4), percent(ece), seconds.toFixed(0)];
    lines.push([seed.padEnd(4), activations.padEnd(11), ...columns].join("  "));
  }
}
Deno.stdout.writeSync(new TextEncoder().encode(`${lines.join("\n")}\n`));
