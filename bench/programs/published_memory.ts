/**
 * Prints the GPU memory of training the published network with the published batches, by use: `[float16]`. Without an
 * argument for both types of activations, and writes `bench/results/published-memory.json`.
 */

import { print, UsageError } from "../../src/cli/command.ts";
import { table } from "../../src/cli/format.ts";
import { type ActivationType, activationTypes } from "../../src/nn/wide_resnet.ts";
import { bench } from "../lib/bench.ts";
import type { MemoryPart } from "../lib/memory.ts";
import { memoryResultsFile, publishedMemory } from "../lib/published_memory.ts";
import { saveResults } from "../lib/processes.ts";

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;

function chosenTypes(name: string | undefined): readonly ActivationType[] {
  if (name === undefined) return activationTypes;
  const chosen = activationTypes.find((type) => type === name);
  if (!chosen) throw new UsageError(`the argument is one of ${activationTypes.join(", ")}, not "${name}"`);
  return [chosen];
}

await bench("published_memory", async ([name]) => {
  const types = chosenTypes(name);
  const results: [ActivationType, Readonly<Record<MemoryPart, number>>][] = [];
  for (const type of types) results.push([type, await publishedMemory(type)]);
  const [, first] = results[0]!;
  const all = results.map(([, parts]) => Object.values(parts).reduce((sum, bytes) => sum + bytes, 0));
  print(table([
    ["GPU memory", ...types],
    ...Object.keys(first).map((part) => [
      part,
      ...results.map(([, parts]) => megabytes(parts[part as MemoryPart])),
    ]),
    ["all", ...all.map(megabytes)],
  ]));
  if (name !== undefined) return;
  await saveResults(memoryResultsFile, Object.fromEntries(results));
  print(`\nwrote ${memoryResultsFile}`);
});
