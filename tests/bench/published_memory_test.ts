import assert from "node:assert/strict";
import { memoryResultsFile, publishedMemory } from "../../bench/lib/published_memory.ts";
import { projectFolder } from "../../scripts/tasks.ts";
import { preset } from "../../src/train/presets.ts";

Deno.test("training WRN-28-10 with the published batches takes less than 12 GB", async () => {
  const { depth, width, likelihoodBatch, labelledBatch, steps } = preset("cifar10");
  assert.deepEqual([depth, width, likelihoodBatch, labelledBatch, steps], [28, 10, 64, 128, 5]);
  const parts = await publishedMemory("float32");
  const bytes = Object.values(parts).reduce((sum, part) => sum + part, 0);
  // The parameters, their gradients, momentum and SAM's copy are 36.5 million numbers each.
  assert(parts.parameters > 4 * 36e6, `${parts.parameters} bytes of parameters`);
  assert(bytes > 3e9 && bytes < 12e9, `${(bytes / 1e9).toFixed(1)} GB`);
  const float16 = await publishedMemory("float16");
  const saved = parts["iteration's buffers"] - float16["iteration's buffers"];
  // Of an iteration's buffers, gradients and intermediate results stay float32.
  assert(saved > 0.35 * parts["iteration's buffers"], `${(saved / 1e9).toFixed(1)} GB less with float16`);
  const kept = JSON.parse(await Deno.readTextFile(projectFolder + memoryResultsFile));
  assert.deepEqual(kept, { float32: parts, float16 }, "./run bench published_memory; ./run docs");
});
