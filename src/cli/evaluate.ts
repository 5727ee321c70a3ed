import { parseArgs } from "node:util";
import type { Dataset, ImageSet } from "../data/dataset.ts";
import { DeviceImages } from "../data/device_images.ts";
import { loadDataset } from "../data/load.ts";
import { expectedCalibrationError } from "../evaluate/calibration.ts";
import { accuracyAndLoss, classifyImages } from "../evaluate/classification.ts";
import { extractFeatures } from "../evaluate/features.ts";
import { type NumpyArray, serializeNpz } from "../formats/npz.ts";
import { Gpu } from "../gpu/gpu.ts";
import type { WideResNet } from "../nn/wide_resnet.ts";
import { Context } from "../tensor/context.ts";
import { writeAtomically } from "../train/files.ts";
import { type Command, execute, exitStatus, print } from "./command.ts";
import { percent, table } from "./format.ts";
import { LiveLine } from "./live_line.ts";
import { datasetOf, hintHelp, hintOptions, hintsOf, loadModel, shippedModel } from "./model.ts";

const help = `
Measure a trained model on its data set: accuracy, cross-entropy and calibration, as a table and as JSON.

Usage: deno task evaluate [options]

  --model PATH        a run directory, or a model or checkpoint file (default: the digits model that comes along)
  --data-folder DIR   where the data set is, if not where it was in training
${hintHelp}
  --export FILE       also write features, logits and labels of the test images to an .npz file
  --json              print the results as JSON instead of a table
  --out FILE          also write the JSON to a file
  --debug             show the stack trace of an error
  --help              show this text

Examples:
  deno task evaluate
  deno task evaluate --model runs/cifar10 --json
  deno task evaluate --model best_valid_ckpt.pt --dataset cifar10 --export features.npz
  deno task evaluate --model runs/digits-softmax-20260101-120000 --out softmax.json
`;

const options = {
  model: { type: "string" },
  "data-folder": { type: "string" },
  ...hintOptions,
  export: { type: "string" },
  json: { type: "boolean" },
  out: { type: "string" },
  debug: { type: "boolean" },
} as const;

/** What is measured on one set of images; `ece15` and `ece20` are calibration errors with so many bins. */
interface Result {
  readonly images: number;
  readonly accuracy: number;
  readonly loss: number;
  readonly ece15: number;
  readonly ece20: number;
}

const evaluate: Command = {
  help,
  async run(args) {
    const { values } = parseArgs({ args: [...args], options, strict: true, allowPositionals: false });
    const context = new Context(await Gpu.request());
    const { model, checkpoint } = await loadModel(context, values.model ?? shippedModel, hintsOf(values));
    const dataset = await loadDataset(datasetOf(checkpoint, values["data-folder"]));

    const test = await measure(model, dataset, dataset.test, "test");
    const train = await measure(model, dataset, dataset.train, "training");
    const json = JSON.stringify(
      { dataset: dataset.name, iteration: checkpoint.iteration, test, train },
      undefined,
      2,
    );
    if (values.export !== undefined) await exportFeatures(model, dataset, values.export);
    if (values.out !== undefined) await writeAtomically(values.out, `${json}\n`);
    print(values.json ? json : asTable(test, train));
    context.gpu.destroy();
    return exitStatus.success;
  },
};

async function measure(model: WideResNet, dataset: Dataset, set: ImageSet, what: string): Promise<Result> {
  const line = new LiveLine();
  const images = new DeviceImages(model.context, dataset, set);
  const classified = await classifyImages(
    model,
    images,
    (done) => line.progress(`classifying ${what} images: ${done}/${set.count}`),
  );
  line.clear();
  const ece = (bins: number) => expectedCalibrationError(classified.logits, classified.labels, bins).value;
  return { images: set.count, ...accuracyAndLoss(classified), ece15: ece(15), ece20: ece(20) };
}

async function exportFeatures(model: WideResNet, dataset: Dataset, path: string): Promise<void> {
  const { test } = dataset;
  const images = new DeviceImages(model.context, dataset, test);
  const { features, logits, size } = await extractFeatures(model, images);
  const arrays = new Map<string, NumpyArray>([
    ["features", { shape: [test.count, size], data: features }],
    ["logits", { shape: [test.count, model.architecture.classes], data: logits }],
    ["labels", { shape: [test.count], data: Int32Array.from(test.labels) }],
  ]);
  await writeAtomically(path, serializeNpz(arrays));
}

function asTable(test: Result, train: Result): string {
  const row = (name: string, figure: (result: Result) => string) => [name, figure(test), figure(train)];
  return table([
    ["", "test", "training"],
    row("images", ({ images }) => images.toLocaleString("en")),
    row("accuracy", ({ accuracy }) => percent(accuracy)),
    row("cross-entropy", ({ loss }) => loss.toFixed(4)),
    row("calibration error, 15 bins", ({ ece15 }) => percent(ece15)),
    row("calibration error, 20 bins", ({ ece20 }) => percent(ece20)),
  ]);
}

if (import.meta.main) await execute(evaluate);
