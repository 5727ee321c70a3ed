/** One minute of what `./run soak` and `./run fuzz` do for hours. */

import assert from "node:assert/strict";
import { growth, type Reading, soak } from "../../bench/lib/soak.ts";
import { loadDataset } from "../../src/data/load.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { withFiles } from "../temporary.ts";
import { trainRandom } from "./configurations.ts";

/** Readings of a run. Each figure in `step` grows by that amount from one reading to the next. */
function readings(step: Partial<Reading> = {}): Reading[] {
  const flat = { host: 2e8, gpu: 5e6, seconds: 0.1, checkpoint: 1e6, checkpoints: 5, metrics: 360 };
  return Array.from({ length: 20 }, (_, i) => ({
    ...Object.fromEntries(
      Object.entries(flat).map(([key, value]) => [key, value + i * (step[key as keyof typeof flat] ?? 0)]),
    ) as typeof flat,
    iteration: 500 * (i + 1),
  }));
}

Deno.test("growth() notices what grows, and lets through what does not", () => {
  assert.deepEqual(growth(readings()), []);
  const cases: [Partial<Reading>, RegExp][] = [
    [{ host: 2 ** 23 }, /^host memory grew from .* MiB to .* MiB$/],
    [{ gpu: 256 }, /^GPU memory grew/],
    [{ checkpoint: 2 ** 14 }, /^a checkpoint grew/],
    [{ checkpoints: 1 }, /^12 checkpoints are kept at iteration 4000$/],
    [{ seconds: 0.05 }, /^the time of an iteration grew from .* ms/],
    [{ metrics: 100 }, /^metrics.jsonl has 2260 bytes for each iteration$/],
  ];
  for (const [step, message] of cases) {
    const found = growth(readings(step));
    assert.equal(found.length, 1, found.join());
    assert.match(found[0]!, message);
  }
});

Deno.test("memory and files of a run stay what they are", async () => {
  await withFiles({}, async (folder) => {
    const all = await soak(folder, 40, () => {});
    assert.deepEqual([all.length, all.at(-1)!.iteration], [20, 40]);
    // The time depends on the machine's other work, so only a long run can say something about it.
    assert.deepEqual(growth(all.map((reading) => ({ ...reading, seconds: 1 }))), []);
  });
});

Deno.test("random valid configurations train, or say why not", async () => {
  const gpu = await Gpu.request();
  try {
    await trainRandom(gpu, await loadDataset({ name: "digits" }), { runs: 4, seed: 7 });
  } finally {
    gpu.destroy();
  }
});
