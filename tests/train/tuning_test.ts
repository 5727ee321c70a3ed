import assert from "node:assert/strict";
import { loadDataset } from "../../src/data/load.ts";
import { TuningError } from "../../src/errors.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { Context } from "../../src/tensor/context.ts";
import { parseConfiguration } from "../../src/train/configuration.ts";
import { preset } from "../../src/train/presets.ts";
import { chooseFastest, tunableConvolutions, tuneConvolutions, tuningTable } from "../../src/train/tuning.ts";
import { readTuning, readTuningIfThere, tuningPath, writeTuning } from "../../src/train/tuning_file.ts";
import { refuses } from "../refusal.ts";
import { withFiles } from "../temporary.ts";

Deno.test("chooseFastest() stays with the default unless another is faster by more than noise", () => {
  const chosen = (...milliseconds: number[]) =>
    chooseFastest(milliseconds.map((time, i) => ({ name: String(i), milliseconds: time }))).name;
  assert.equal(chosen(10), "0");
  assert.equal(chosen(10, 9.8), "0");
  assert.equal(chosen(10, 9.6, 9.5, 12), "2");
  assert.equal(chosen(0, 0), "0");
});

Deno.test("a training's convolutions are found, timed, and kept in a file that can be read", async () => {
  const configuration = parseConfiguration({ ...preset("digits"), likelihoodBatch: 8, labelledBatch: 6 });
  const dataset = await loadDataset({ name: "digits" });
  const found = await tunableConvolutions(configuration, dataset);
  const named = found.map(({ direction, shape }) =>
    `${direction} ${shape.batch} ${shape.inChannels} ${shape.outChannels}`
  );
  assert.equal(new Set(named).size, named.length);
  for (const batch of [8, 6]) assert(named.includes(`forward ${batch} 16 16`), named.join());
  assert(named.includes("gradientInput 8 16 32"), named.join());

  const gpu = await Gpu.request();
  const done: number[] = [];
  const tuned = await tuneConvolutions(
    new Context(gpu),
    found.slice(0, 2),
    "float32",
    (count) => done.push(count),
  );
  assert.deepEqual(done, [0, 1]);
  for (const { times, chosen } of tuned) assert(times.length > 1 && times.includes(chosen));
  const table = tuningTable(gpu, tuned);
  await withFiles({ "damaged.json": new Uint8Array(1) }, async (folder) => {
    const path = `${folder}/${tuningPath(gpu)}`;
    assert.match(path, /\/tuning\/[a-z0-9-]+\.json$/);
    assert.equal(await readTuningIfThere(path, gpu), undefined);
    await writeTuning(path, table);
    assert.deepEqual(await readTuningIfThere(path, gpu), table);
    await refuses(readTuning(`${folder}/damaged.json`, gpu), TuningError, /damaged\.json: .*not valid JSON/);
  });
  gpu.destroy();
});
