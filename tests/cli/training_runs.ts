/** Runs for the tests of `train`. */

import assert from "node:assert/strict";

/** Options of a run that takes seconds. */
export const quick = [
  "--set",
  "likelihoodBatch=16",
  "--set",
  "labelledBatch=16",
  "--set",
  "bufferSize=40",
  "--seed",
  "7",
]
  .concat([
    "--set",
    "steps=2",
    "--set",
    "warmup=4",
    "--set",
    "decayIterations=[12]",
    "--set",
    "checkpointEvery=5",
  ]);

/** Names of a run's checkpoints, oldest first. */
export async function checkpoints(runDir: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(`${runDir}/checkpoints`)) {
      if (name.endsWith(".safetensors")) names.push(name);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return names.sort();
}

/** Waits until a run has written at least `count` checkpoints. */
export async function checkpointsAtLeast(runDir: string, count: number): Promise<void> {
  const deadline = performance.now() + 120_000;
  while ((await checkpoints(runDir)).length < count) {
    assert(performance.now() < deadline, "no checkpoint within two minutes");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
