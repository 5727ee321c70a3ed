/**
 * What `deno task bench` measures, one process per case and library so that none disturbs another:
 *
 * - training iterations of the digits preset and of WRN-10-1 at 3×32×32, with the time of every kernel;
 * - the gradients of WRN-10-1 at 3×32×32, batch 64, by its parameters and by its images, beside jax-js.
 *
 * Prints tables and writes `bench/results/<adapter>.json`. `deno task bench --quick` leaves out the peers.
 */

import { table } from "../src/cli/format.ts";
import type { IterationResult } from "./iteration.ts";
import type { GradientResult } from "./gradient.ts";
import type { Subject } from "./gradient_case.ts";
import { measureProcess, resultsFile, saveResults } from "./processes.ts";
import { median } from "./statistics.ts";

const gradientRoundCount = 3;
const read = ["--allow-read"];
const print = (text: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
const milliseconds = (value: number) => value.toFixed(1);

function printIteration(
  { name, adapter, median: middle, imagesPerSecond, host, counts, kernels, megabytes }: IterationResult,
) {
  print(`\n${name}, on ${adapter}`);
  print(table([
    [
      "iteration, median ms",
      "images/s",
      "host ms",
      "dispatches",
      "submits",
      "bind groups",
      "buffers",
      "pipelines",
      "MB",
    ],
    [
      milliseconds(middle),
      imagesPerSecond.toFixed(0),
      milliseconds(host),
      ...[counts.dispatches, counts.submits, counts.bindGroups, counts.buffers, counts.pipelines].map(String),
      megabytes.toFixed(0),
    ],
  ]));
  const total = kernels.reduce((sum, kernel) => sum + kernel.milliseconds, 0);
  print(table([
    ["kernel", "dispatches", "ms", "share"],
    ...kernels.map(({ kernel, dispatches, milliseconds: time }) => [
      kernel,
      String(dispatches),
      milliseconds(time),
      `${(100 * time / total).toFixed(1)} %`,
    ]),
  ]));
}

const titles = {
  parameters: "loss and gradient of all parameters",
  images: "gradient of Σ log p̃ by the images, as in a step of SGLD",
} as const satisfies Record<Subject, string>;

function printGradients(subject: Subject, results: readonly GradientResult[]) {
  const ours = results[0]!;
  print(`\nWRN-10-1 at 3×32×32, batch 64: ${titles[subject]}, on ${ours.adapter}`);
  print(table([
    ["library", "median ms", "ratio", "first call s", "loss", "largest difference of a gradient's norm"],
    ...results.map((result) => [
      result.library,
      milliseconds(result.median),
      (result.median / ours.median).toFixed(2),
      (result.first / 1000).toFixed(1),
      result.loss.toFixed(6),
      normDifference(result, ours).toExponential(1),
    ]),
  ]));
}

/** Measures the libraries in turns, so that a slow moment of the machine hits both, and takes each one's median. */
async function gradientRounds(subject: Subject): Promise<GradientResult[]> {
  const scripts = [["gradient.ts", read], ["gradient_jax.ts", [...read, "--allow-env"]]] as const;
  const results: GradientResult[][] = scripts.map(() => []);
  for (let round = 0; round < gradientRoundCount; round++) {
    for (const [i, [script, permissions]] of scripts.entries()) {
      results[i]!.push(await measureProcess<GradientResult>(script, [...permissions], subject));
    }
  }
  return results.map((rounds) => ({
    ...rounds[0]!,
    median: median(rounds.map((result) => result.median)),
    first: median(rounds.map((result) => result.first)),
  }));
}

/** Largest difference between the norms of a parameter's gradient, relative to the largest norm. */
function normDifference({ norms }: GradientResult, ours: GradientResult): number {
  const differences = Object.entries(norms).map(([name, norm]) => Math.abs(norm - ours.norms[name]!));
  return Math.max(...differences) / Math.max(...Object.values(ours.norms));
}

const results: Record<string, unknown> = {};
for (const name of ["digits", "wrn-10-1"]) {
  const result = await measureProcess<IterationResult>("iteration.ts", read, name);
  printIteration(result);
  results[name] = result;
}
if (!Deno.args.includes("--quick")) {
  for (const subject of ["parameters", "images"] as const) {
    const gradients = await gradientRounds(subject);
    printGradients(subject, gradients);
    results[`gradient by ${subject}`] = gradients;
  }
}
const adapter = (results["digits"] as IterationResult).adapter;
const file = resultsFile(adapter);
await saveResults(file, results);
print(`\nwrote ${file}`);
