/**
 * Trains the digits with values between layers in float32 and in float16, several seeds each, and prints the results:
 * `deno run --allow-read --allow-write --allow-run=deno bench/activations.ts` (4 to 8 minutes a training on two cores).
 * A run that is already there is not repeated, and one that was interrupted goes on.
 */

import { parseArgs } from "node:util";
import { table } from "../src/cli/format.ts";
import { activationTypes } from "../src/nn/wide_resnet.ts";
import { percent } from "../src/report/percent.ts";
import type { Summary } from "../src/train/training_run.ts";
import { trainDigits } from "./run_commands.ts";

const { values } = parseArgs({
  options: {
    folder: { type: "string", default: "runs/activations" },
    seeds: { type: "string", default: "1,2,3" },
  },
});

const rows = [["activations, seed", "accuracy", "cross-entropy", "calibration error", "seconds"]];
for (const seed of values.seeds.split(",")) {
  for (const activations of activationTypes) {
    const run = `${values.folder}/${activations}-${seed}`;
    await trainDigits(run, [`seed=${seed}`, `activations=${activations}`]);
    const summary: Summary = JSON.parse(await Deno.readTextFile(`${run}/summary.json`));
    const { testAccuracy, testLoss, ece, seconds } = summary;
    const columns = [percent(testAccuracy), testLoss.toFixed(4), percent(ece), seconds.toFixed(0)];
    rows.push([`${activations}, ${seed}`, ...columns]);
  }
}
Deno.stdout.writeSync(new TextEncoder().encode(`${table(rows)}\n`));
