/**
 * Times training iterations of the digits preset, of WRN-10-1 at 3×32×32 and, on a real GPU, of the published
 * WRN-28-10, each in its own process, with the host's share, the time of every kernel and the memory by use. Prints
 * tables and writes `bench/results/ADAPTER.json`.
 */

import { print } from "../../src/cli/command.ts";
import { table } from "../../src/cli/format.ts";
import { adapterFamily } from "../../src/gpu/adapter_family.ts";
import { bench } from "../lib/bench.ts";
import type { IterationResult } from "../lib/iteration.ts";
import { runNames } from "../lib/iteration_case.ts";
import { measureProcess, resultsFile, saveResults } from "../lib/processes.ts";

const milliseconds = (value: number) => value.toFixed(1);
const percent = (part: number, whole: number) => `${(100 * part / whole).toFixed(1)} %`;
const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

function printIteration({ name, adapter, imagesPerSecond, counts, kernels, ...result }: IterationResult) {
  print(`\n${name}, on ${adapter}`);
  print(table([
    ["iteration, ms", "images/s", "host, ms", "of it", ...Object.keys(counts)],
    [
      milliseconds(result.median),
      imagesPerSecond.toFixed(0),
      result.host.toFixed(2),
      percent(result.host, result.median),
      ...Object.values(counts).map(String),
    ],
  ]));
  const kernelTime = total(kernels.map((kernel) => kernel.milliseconds));
  print(`\n${
    table([
      ["kernel", "dispatches", "ms", "share"],
      ...kernels.map(({ kernel, dispatches, milliseconds: time }) => [
        kernel,
        String(dispatches),
        milliseconds(time),
        percent(time, kernelTime),
      ]),
    ])
  }`);
  const memory = Object.entries(result.memory);
  print(`\n${
    table([
      ["GPU memory", "MB"],
      ...[...memory, ["all", total(Object.values(result.memory))] as const].map(([part, bytes]) => [
        part,
        (bytes / 1e6).toFixed(2),
      ]),
    ])
  }`);
}

await bench("iterations", async () => {
  const results: Record<string, IterationResult> = {};
  let adapter = "";
  for (const name of runNames) {
    if (name === "wrn-28-10" && adapterFamily(adapter) !== "gpu") continue;
    const result = await measureProcess<IterationResult>({
      script: "lib/iteration.ts",
      permissions: ["--allow-read"],
    }, name);
    ({ adapter } = result);
    printIteration(result);
    results[name] = result;
  }
  const file = resultsFile(adapter);
  await saveResults(file, results);
  print(`\nwrote ${file}`);
});
