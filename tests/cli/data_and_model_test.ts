/** A model and the data given to it. Their classes and images are compared, and data that does not fit is refused. */

import assert from "node:assert/strict";
import { cifar10ClassNames, digitNames } from "../../src/data/class_names.ts";
import type { DatasetName } from "../../src/data/dataset.ts";
import { encodePng } from "../../src/formats/pictures/png.ts";
import { readModel } from "../../src/nn/state_dict.ts";
import { Context } from "../../src/tensor/context.ts";
import { buildModel } from "../../src/train/build.ts";
import { type Checkpoint, serializeCheckpoint } from "../../src/train/checkpoint/checkpoint.ts";
import { parseConfiguration } from "../../src/train/configuration.ts";
import { serializeOfficial } from "../../src/train/checkpoint/import.ts";
import { testGpu } from "../kernels/harness.ts";
import { withFiles } from "../temporary.ts";
import { type Outcome, ownErrors, run } from "./commands.ts";

const context = new Context(await testGpu());

/** A model of random weights for these classes and this image size. */
async function random(
  dataset: DatasetName,
  side: number,
  classNames: readonly string[],
): Promise<Checkpoint> {
  const imageSize = dataset === "images" ? { imageSize: side } : {};
  const configuration = parseConfiguration({
    dataset,
    depth: 10,
    width: 1,
    norm: "none",
    likelihoodWeight: 0,
    ...imageSize,
  });
  const images = { height: side, width: side, channels: 3, classNames };
  const tensors = await readModel(buildModel(context, configuration, images));
  return { tensors, configuration, iteration: 0, batchesTracked: 0, normsInitialised: true, images };
}

/** The same model with its classes in another order: the first becomes the last. */
function turned(checkpoint: Checkpoint): Checkpoint {
  const tensors = new Map(checkpoint.tensors);
  const [first, ...others] = checkpoint.images.classNames;
  for (const name of ["class_output.weight", "class_output.bias"]) {
    const { shape, data } = tensors.get(name)!;
    const row = data.length / shape[0]!;
    tensors.set(name, { shape, data: Float32Array.of(...data.subarray(row), ...data.subarray(0, row)) });
  }
  return { ...checkpoint, tensors, images: { ...checkpoint.images, classNames: [...others, first!] } };
}

/** Pictures of single colours, the same number in each class's folder. */
function pictures(folder: string, counts: Readonly<Record<string, number>>): Record<string, Uint8Array> {
  const files: Record<string, Uint8Array> = {};
  Object.entries(counts).forEach(([name, count], label) => {
    for (let i = 0; i < count; i++) {
      const data = Uint8Array.from({ length: 192 }, (_, p) => p % 3 === label % 3 ? 250 - 3 * i : 10 * i);
      files[`${folder}/${name}/${i}.png`] = encodePng({ width: 8, height: 8, channels: 3, data });
    }
  });
  return files;
}

const fruit = { apple: 9, leaf: 12, sky: 9 };
const folders = {
  ...pictures("fruit/train", fruit),
  ...pictures("fruit/test", { apple: 5, leaf: 4, sky: 6 }),
  ...pictures("others/train", { apple: 3, leaf: 3, sky: 3 }),
  ...pictures("others/test", { apple: 1, leaf: 1, sky: 1 }),
  ...pictures("animals", { ant: 6, bee: 6, cow: 6 }),
  ...pictures("twelve", Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`c${10 + i}`, 3]))),
};

function refused(outcome: Outcome, message: RegExp, status = 1): void {
  assert.equal(outcome.status, status, outcome.errors);
  const [line, ...others] = ownErrors(outcome);
  assert.match(line ?? "", message);
  assert.deepEqual(others.filter((other) => !/--help lists/.test(other)), []);
}

Deno.test("evaluate: classes are matched by their names, whatever their order in the model", async () => {
  const model = await random("images", 8, Object.keys(fruit));
  const files = {
    ...folders,
    "same.safetensors": await serializeCheckpoint(model),
    "turned.safetensors": await serializeCheckpoint(turned(model)),
  };
  await withFiles(files, async (folder) => {
    const evaluated = async (name: string) => {
      const options = ["--data-folder", `${folder}/fruit`, "--only", "classification", "--json"];
      const out = ["--out", `${folder}/${name}`];
      const outcome = await run("evaluate", "--model", `${folder}/${name}.safetensors`, ...options, ...out);
      assert.equal(outcome.status, 0, outcome.errors);
      const { results: { classification }, data } = JSON.parse(outcome.output);
      return { classification, data };
    };
    const [same, other] = [await evaluated("same"), await evaluated("turned")];
    assert.equal(same.data.testImages, 15);
    assert.deepEqual(other.data, same.data);
    const { test, classImages, confusion } = same.classification;
    assert.deepEqual(classImages, [5, 4, 6]);
    assert.deepEqual(other.classification.test.accuracy, test.accuracy);
    const turnedBack = (row: number[]) => [row[2], row[0], row[1]];
    assert.deepEqual(
      turnedBack(other.classification.confusion).map((row) => turnedBack(row as never)),
      confusion,
    );
  });
});

Deno.test("evaluate: data of other classes or images than the model's is refused in one line", async () => {
  const records = (labels: number[]) =>
    Uint8Array.from({ length: labels.length * 3073 }, (_, i) => i % 3073 === 0 ? labels[i / 3073]! : i % 251);
  const files = {
    ...folders,
    "fruit.safetensors": await serializeCheckpoint(await random("images", 8, Object.keys(fruit))),
    "svhn.safetensors": await serializeCheckpoint(await random("svhn", 32, digitNames)),
    "cifar10.safetensors": await serializeCheckpoint(await random("cifar10", 32, cifar10ClassNames)),
    "cifar/data_batch_1.bin": records([0, 1, 2]),
    "cifar/test_batch.bin": records([3, 4]),
  };
  await withFiles(files, async (folder) => {
    const cases: [string[], RegExp][] = [
      [
        ["fruit", "--data-folder", `${folder}/animals`],
        /images: the data's classes \(ant, bee, cow\) are not the model's \(apple/,
      ],
      [
        ["fruit", "--data-folder", `${folder}/twelve`],
        /the data has 12 classes \(c10, .* and 6 more\), the model 3 \(apple/,
      ],
      [
        ["svhn", "--dataset", "cifar10", "--data-folder", `${folder}/cifar`],
        /cifar10: the data's classes \(airplane, .*\) are not the model's \(0, 1, /,
      ],
      [
        ["cifar10", "--dataset", "images", "--data-folder", `${folder}/fruit`],
        /the data has 3 classes .* the model 10 \(airplane/,
      ],
      [["fruit", "--dataset", "digits"], /digits: images of 8×8×1, the model takes 8×8×3/],
    ];
    for (const [[name, ...options], message] of cases) {
      const out = ["--only", "classification", "--out", `${folder}/out`];
      refused(
        await run("evaluate", "--model", `${folder}/${name}.safetensors`, ...options!, ...out),
        message,
      );
    }
    const referee = ["--referee", `${folder}/cifar10.safetensors`, "--only", "generation"];
    refused(
      await run("evaluate", ...referee, "--out", `${folder}/out`),
      /--referee .*cifar10\.safetensors: images of 8×8×1, the model takes 32×32×3/,
    );
    const sample = ["sample", "--model", `${folder}/fruit.safetensors`, "--out", `${folder}/x.png`] as const;
    refused(
      await run(...sample, "--data-folder", `${folder}/animals`),
      /classes \(ant, bee, cow\) are not the model's/,
    );
    refused(
      await run(...sample, "--class", "ant"),
      /--class takes one of apple, leaf, sky, or a number below 3, not "ant"/,
      2,
    );
    refused(
      await run("convert", `${folder}/svhn.safetensors`, `${folder}/x.pt`, "--dataset", "cifar10"),
      /the model was trained on svhn, says the file/,
    );
  });
});

Deno.test("evaluate: a model whose file names neither data nor classes says what it is taken for", async () => {
  const records = (labels: number[]) =>
    Uint8Array.from({ length: labels.length * 3073 }, (_, i) => i % 3073 === 0 ? labels[i / 3073]! : i % 251);
  const files = {
    "model.pt": serializeOfficial(await random("svhn", 32, digitNames)),
    "cifar/data_batch_1.bin": records([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
    "cifar/test_batch.bin": records([3, 4]),
  };
  await withFiles(files, async (folder) => {
    const options = [
      "--data-folder",
      `${folder}/cifar`,
      "--only",
      "classification",
      "--out",
      `${folder}/out`,
    ];
    const guessed = await run("evaluate", "--model", `${folder}/model.pt`, ...options);
    assert.equal(guessed.status, 0, guessed.errors);
    assert.match(
      guessed.errors,
      /note: .*model\.pt names no classes; they are taken to be those of cifar10, in its order\. --dataset says/,
    );
    assert.match(guessed.errors, /warning: cifar10: no test images of class airplane, /);
    const said = await run("evaluate", "--model", `${folder}/model.pt`, "--dataset", "cifar10", ...options);
    assert.doesNotMatch(said.errors, /note:/);
    const { classImages } =
      JSON.parse(await Deno.readTextFile(`${folder}/out/results.json`)).results.classification;
    assert.deepEqual(classImages, [0, 0, 0, 1, 1, 0, 0, 0, 0, 0]);
    assert.doesNotMatch(await Deno.readTextFile(`${folder}/out/report.html`), /NaN/);
  });
});

Deno.test("train: a limited folder has all classes, and a run goes on with its own classes only", async () => {
  await withFiles(folders, async (folder) => {
    const place = ["--run-dir", `${folder}/run`];
    const settings = [
      "dataset=images",
      `dataFolder=${folder}/data`,
      "imageSize=8",
      "likelihoodWeight=0",
      "likelihoodBatch=4",
      "labelledBatch=4",
      "warmup=0",
      "norm=none",
      "iterations=4",
    ].flatMap((setting) => ["--set", setting]);
    const train = (limit: number) =>
      run(
        "train",
        "--preset",
        "cifar10-tiny",
        ...settings,
        "--set",
        `dataLimit=${limit}`,
        ...place,
        "--stop-after",
        "2",
      );
    const resume = () => run("train", "--resume", ...place);
    /** Puts another folder where the run reads its data. */
    const withData = async (name: string, action: () => Promise<void>) => {
      await Deno.rename(`${folder}/${name}`, `${folder}/data`);
      await action();
      await Deno.rename(`${folder}/data`, `${folder}/${name}`);
    };
    await withData("fruit", async () => {
      refused(await train(2), /0 training images of class (apple|leaf|sky), where at least 1 are needed/);
      const begun = await train(10);
      assert.equal(begun.status, 0, begun.errors);
      assert.match(begun.output, /on images \(10 images\)/);
    });
    await withData("animals", async () => {
      refused(
        await resume(),
        /the data's classes \(ant, bee, cow\) are not the model's \(apple, leaf, sky\)/,
      );
    });
    await withData("twelve", async () => {
      refused(await resume(), /the data has 12 classes .* the model 3/);
    });
    await withData("others", async () => {
      const { status, output } = await run("train", "--resume", ...place, "--stop-after", "1");
      assert.equal(status, 0);
      assert.match(
        output,
        /warning: the run began with other data: another number of training images \(10 then, 9 now\)/,
      );
    });
    await withData("fruit", async () => {
      const resumed = await resume();
      assert.equal(resumed.status, 0, resumed.errors);
      assert.doesNotMatch(resumed.output, /other data/);
      const out = ["--only", "classification", "--out", `${folder}/out`, "--json"];
      const evaluated = await run("evaluate", "--model", `${folder}/run`, ...out);
      assert.equal(JSON.parse(evaluated.output).data.trainingImages, 10);
    });
  });
});

Deno.test("evaluate, compare: the attacked images are of all classes, and other budgets are marked", async () => {
  const files = {
    ...folders,
    "model.safetensors": await serializeCheckpoint(await random("images", 8, Object.keys(fruit))),
  };
  await withFiles(files, async (folder) => {
    const evaluate = async (name: string, ...options: string[]) => {
      const common = ["--data-folder", `${folder}/fruit`, "--only", "classification,robustness"];
      const out = ["--out", `${folder}/${name}`];
      const model = ["--model", `${folder}/model.safetensors`];
      const { status, errors } = await run("evaluate", ...model, ...common, ...out, ...options);
      assert.equal(status, 0, errors);
      return JSON.parse(await Deno.readTextFile(`${folder}/${name}/results.json`)).results;
    };
    const drawn = await evaluate("drawn", "--attack-images", "6", "--attack-steps", "1");
    const first = await evaluate(
      "first",
      "--attack-images",
      "6",
      "--attack-steps",
      "2",
      "--attack-order",
      "first",
    );
    assert.deepEqual([drawn.robustness.attackOrder, first.robustness.attackOrder], ["drawn", "first"]);
    const compared = await run("compare", `${folder}/drawn`, `${folder}/first`, "--out", `${folder}/both`);
    assert.equal(compared.status, 0, compared.errors);
    assert.match(
      compared.errors,
      /warning: not comparable \(≠\): accuracy, L∞ 8\/255, .*; they differ in choice of images: drawn \(drawn\), first \(first\); attack steps: 1 \(drawn\), 2 \(first\)/,
    );
    assert.match(compared.output, /accuracy, L∞ 8\/255 ≠ /);
    assert.match(compared.output, /test accuracy {2,}\d/);
    const page = await Deno.readTextFile(`${folder}/both/report.html`);
    assert.match(page, /<p class="warning">not comparable/);
  });
});
