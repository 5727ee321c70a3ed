/** Checks what README.md says, as far as that takes only a moment. */

import assert from "node:assert/strict";
import { projectFolder, taskCommands } from "../scripts/tasks.ts";
import { type Dataset, selectImages } from "../src/data/dataset.ts";
import { DeviceImages } from "../src/data/device_images.ts";
import { fitDataset } from "../src/data/fit.ts";
import { loadDataset } from "../src/data/load.ts";
import { loadMnist } from "../src/data/mnist.ts";
import { expectedCalibrationError } from "../src/evaluate/calibration.ts";
import { accuracyAndLoss, classifyImages } from "../src/evaluate/classification.ts";
import { percent, percentWithin } from "../src/evaluate/percent.ts";
import { Context } from "../src/tensor/context.ts";
import { buildModel } from "../src/train/build.ts";
import { restoreModel } from "../src/train/checkpoint/checkpoint.ts";
import { readModelFile } from "../src/train/checkpoint/import.ts";
import { testGpu } from "./kernels/harness.ts";
import { isPresent, realData } from "./real_data.ts";

const readme = await Deno.readTextFile(`${projectFolder}README.md`);
const text = (path: string) => Deno.readTextFile(projectFolder + path);

/** The contents of the code blocks in a language. */
const blocks = (language: string) =>
  [...readme.matchAll(/^```(\w*)\n([^]*?)^```$/gm)].flatMap((match) =>
    match[1] === language ? [match[2]!] : []
  );

Deno.test("README.md has at most 150 lines", () => {
  assert(readme.split("\n").length - 1 <= 150);
});

Deno.test("README.md calls tasks that exist", () => {
  const called = blocks("sh").flatMap((block) =>
    [...block.matchAll(/\.\/run ([a-z:]+)/g)].map((match) => match[1]!)
  );
  assert(called.length > 5);
  assert.deepEqual(called.filter((task) => !taskCommands.has(task)), []);
});

Deno.test("the programs in README.md are those of examples/, which tests run", async () => {
  const programs = blocks("ts");
  assert.equal(programs.length, 2);
  for (
    const [program, path] of [[programs[0]!, "examples/library.ts"], [
      programs[1]!,
      "examples/kernels.ts",
    ]] as const
  ) {
    assert((await text(path)).includes(program), path);
  }
});

/** Where the data sets are that the bundled models were tested on, but for the digits, which come with the project. */
const testFolders: Readonly<Record<string, string>> = {
  "mnist-28": `${realData}/mnist`,
  "cifar10-small": `${realData}/cifar-10-batches-bin`,
};

/** What a bundled model was tested on; undefined if it is not here. */
async function testedOn(model: string): Promise<Dataset | undefined> {
  const folder = testFolders[model];
  if (!folder) return await loadDataset({ name: "digits" });
  if (!await isPresent(folder)) return undefined;
  if (model === "cifar10-small") return await loadDataset({ name: "cifar10", folder, testOnly: true });
  // As scripts/split_mnist.ts holds them out.
  const mnist = await loadMnist(folder, true);
  const heldOut = Uint32Array.from({ length: mnist.test.count / 10 }, (_, i) => 10 * i + 9);
  return { ...mnist, test: selectImages(mnist.test, heldOut) };
}

Deno.test("README.md says of the bundled models what they reach", async (t) => {
  const context = new Context(await testGpu());
  const models = await Array.fromAsync(Deno.readDir(`${projectFolder}data/models`), ({ name }) => name);
  for (const model of models.map((name) => name.replace(/\.safetensors$/, ""))) {
    const row = readme.split("\n").find((line) => line.startsWith(`| \`${model}\``));
    assert(row, `README.md has no row for ${model}`);
    const data = await testedOn(model);
    await t.step({
      name: data ? model : `${model} (skipped: no ${testFolders[model]}; set SADA_JEM_DATA)`,
      ignore: !data,
      fn: async () => {
        const file = await Deno.readFile(`${projectFolder}data/models/${model}.safetensors`);
        const checkpoint = await readModelFile(file);
        const network = buildModel(context, checkpoint.configuration, checkpoint.images);
        restoreModel(network, checkpoint);
        const fitted = fitDataset(data!, checkpoint.images);
        const classified = await classifyImages(network, new DeviceImages(context, fitted, fitted.test));
        const { accuracy, accuracyInterval } = accuracyAndLoss(classified);
        const error = expectedCalibrationError(classified.logits, classified.labels, 20).value;
        for (const figure of [percentWithin(accuracy, accuracyInterval), percent(error)]) {
          assert(row.includes(figure), `${row} lacks ${figure}`);
        }
      },
    });
  }
});

Deno.test("README.md names the peers' times that docs/performance.md has", async () => {
  const performance = await text("docs/performance.md");
  for (const range of ["6.3 to 17.4", "3.8 to 9.1"]) {
    assert(readme.includes(range));
    assert(performance.includes(`the best WebGPU peer takes ${range} times as long`));
  }
});
