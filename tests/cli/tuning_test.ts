import assert from "node:assert/strict";
import { loadDataset } from "../../src/data/load.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { conv2dCandidates } from "../../src/tensor/operations/conv2d/candidates.ts";
import { type Conv2dTable, conv2dTable } from "../../src/tensor/operations/conv2d/table.ts";
import { parseConfiguration } from "../../src/train/configuration.ts";
import { preset } from "../../src/train/presets.ts";
import { tunableConvolutions } from "../../src/train/tuning.ts";
import { tuningPath, writeTuning } from "../../src/train/tuning_file.ts";
import { type Outcome, runIn, runOfCopy } from "./commands.ts";
import { withProjectCopy } from "../project_copy.ts";
import { withFiles } from "../temporary.ts";

const changes = {
  likelihoodBatch: 16,
  labelledBatch: 16,
  bufferSize: 40,
  steps: 2,
  warmup: 2,
  iterations: 6,
};
const settings = Object.entries(changes).flatMap(([key, value]) => ["--set", `${key}=${value}`]);

/** A table that names the last candidate of every convolution of {@link changes}, and the path where it belongs. */
async function lastCandidates(): Promise<{ table: Conv2dTable; path: string }> {
  const configuration = parseConfiguration({ ...preset("digits"), ...changes });
  const convolutions = await tunableConvolutions(configuration, await loadDataset({ name: "digits" }));
  const gpu = await Gpu.request();
  const choices = convolutions.map(({ direction, shape }) => {
    const { name } = conv2dCandidates(gpu, shape)[direction].at(-1)!;
    return { direction, ...shape, algorithm: name };
  });
  const [table, path] = [conv2dTable(gpu, choices), tuningPath(gpu)];
  gpu.destroy();
  return { table, path };
}

Deno.test("train: a resumed run keeps the kernels that it was started with, bit for bit", async () => {
  const { table, path } = await lastCandidates();
  await withProjectCopy("project", async (project) => {
    const folder = `${project}mine`;
    await Deno.mkdir(folder);
    const train = (...args: string[]) => succeeds(runOfCopy(project, folder, "train", ...args));
    const line = /convolution kernels as chosen in \/.*\/project\/tuning\//;
    const stopped = (name: string) => train(...settings, "--run-dir", name, "--stop-after", "3");

    assert.doesNotMatch((await train(...settings, "--run-dir", "plain")).output, line);
    await stopped("plain-parts");
    await writeTuning(`${project}${path}`, table);
    assert.match((await train(...settings, "--run-dir", "tuned")).output, line);
    await stopped("tuned-parts");
    assert.doesNotMatch((await train("--resume", "--run-dir", "plain-parts")).output, line);
    await Deno.remove(`${project}${path}`);
    await train("--resume", "--run-dir", "tuned-parts");

    const model = (name: string) => Deno.readFile(`${folder}/${name}/model.safetensors`);
    assert.deepEqual(await model("plain-parts"), await model("plain"));
    assert.deepEqual(await model("tuned-parts"), await model("tuned"));
    assert.notDeepEqual(await model("tuned"), await model("plain"), "the kernels make no difference");
    assert.deepEqual(JSON.parse(await Deno.readTextFile(`${folder}/tuned/kernels.json`)), table);
    await assert.rejects(Deno.stat(`${folder}/plain/kernels.json`), Deno.errors.NotFound);
  });
});

Deno.test("tune: writes a table that the other commands use, and adds to it", async () => {
  await withFiles({}, async (folder) => {
    const tune = (batch: number) =>
      succeeds(runIn(folder, "tune", ...settings, "--set", `labelledBatch=${batch}`, "--out", "table.json"));
    const { output } = await tune(16);
    assert.match(output, /^convolution +kernel +ms +of the default$/m);
    assert.match(output, /forward 16×8×8, 16→16, .* 1\.00/);
    assert.match(output, /\d+ of \d+ are not the default; wrote table\.json/);
    const choices = async () =>
      (JSON.parse(await Deno.readTextFile(`${folder}/table.json`)) as Conv2dTable).choices;
    const before = await choices();
    const batchesOf = (table: Conv2dTable["choices"]) => new Set(table.map(({ batch }) => batch));
    // Generated and labelled images go through the network together.
    assert.deepEqual(batchesOf(before), new Set([16, 32]));
    await tune(12);
    const after = await choices();
    assert.deepEqual(batchesOf(after), new Set([12, 16, 32]));
    const of16 = (table: Conv2dTable["choices"]) => table.filter(({ batch }) => batch === 16).length;
    assert.equal(of16(after), of16(before));

    const kernels = ["--kernels", "table.json"];
    const images = ["--count", "12", "--init", "noise", "--steps", "1"];
    await succeeds(runIn(folder, "sample", ...images, ...kernels));
    const only = ["--only", "calibration", "--out", "evaluation", "--json"];
    const evaluated = await succeeds(runIn(folder, "evaluate", ...only, ...kernels));
    assert("calibration" in JSON.parse(evaluated.output).results);
  });
});

async function succeeds(outcome: Promise<Outcome>): Promise<Outcome> {
  const result = await outcome;
  assert.equal(result.status, 0, result.errors);
  return result;
}
