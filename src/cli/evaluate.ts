import { parseArgs } from "node:util";
import { DeviceImages } from "../data/device_images.ts";
import { type Dataset, datasetNames } from "../data/dataset.ts";
import { describeData } from "../data/description.ts";
import { requireImageSize } from "../data/fit.ts";
import { exists } from "../data/files.ts";
import { type Communicator, oneProcess } from "../distributed/communicator.ts";
import { classifyImages } from "../evaluate/classification.ts";
import { extractFeatures } from "../evaluate/features.ts";
import { crc32Text } from "../formats/archives/crc32.ts";
import { type NumpyArray, serializeNpz } from "../formats/npz.ts";
import { reportPage, type Section } from "../report/html.ts";
import {
  type Answer,
  type AttackOrder,
  attackOrders,
  type QuestionOptions,
  type Subject,
} from "../report/question.ts";
import { questions } from "../report/questions.ts";
import { trainingSection } from "../report/training_section.ts";
import type { Context } from "../tensor/context.ts";
import type { Checkpoint } from "../train/checkpoint/checkpoint.ts";
import { writeAtomically } from "../train/run/files.ts";
import { openAdapter } from "./adapter.ts";
import { type Command, execute, exitStatus, print, printError, UsageError, wholeNumber } from "./command.ts";
import { duration, table, wrap } from "./format.ts";
import { withGpuOption } from "./gpu_option.ts";
import { inceptionArguments, inceptionHelp, inceptionOptions } from "./inception.ts";
import { contextWith, kernelHelp, kernelOption, kernelTable } from "./kernels.ts";
import { LiveLine } from "./live_line.ts";
import { requireSameWork } from "./job/same_work.ts";
import { hintHelp, hintOptions, hintsOf, loadFitting, loadModel, shippedModel } from "./model.ts";
import { otherSets } from "./other_sets.ts";
import { writeOnly } from "./permissions.ts";
import { runFolder, sampleHistory } from "./sample_history.ts";

const help = `
Measure a trained model: every claim of the paper, as a report with plots and as JSON.

Usage: ./run evaluate [options]

  --model PATH        a run directory, a model or checkpoint file, or the name of a bundled model (default: digits)
  --out DIR           where report.html, results.json and the plots go (default: evaluation/ in the run directory, or
                      here)
  --only NAMES        only these questions, separated by commas:
${wrap(questions.map(({ name }) => name).join(", "), 120, " ".repeat(22))}
  --data-folder DIR   where the data set is, if not where it was in training
  --ood NAME=DIR      another set of images that the model should recognise as such; may be given repeatedly. NAME is a
                      data set of the same image size (${
  datasetNames.filter((name) => name !== "digits" && name !== "images").join(", ")
}),
                      or any other name for a folder of pictures. Data sets in data/, and pictures in data/celeba/,
                      are always used
  --attack-images N   test images that are attacked (default: 100)
  --attack-order O    drawn: at random with each class's share, always the same images; first: the first images of the
                      test set, as in the official scripts (default: drawn)
  --attack-steps N    steps of an attack (default: 50)
  --restarts N        random starts of an attack (default: 1)
  --purify N          also attack the classifier behind N steps of SGLD purification, by BPDA + EOT
  --purify-images N   test images for that (default: 20)
  --generated-images N  images of the replay buffer that are judged (default: 10000)
  --fresh N           judge the ends of N fresh chains instead, beside the same number of images of the buffer
  --referee PATH      another model, in whose features samples are compared with training images (default: this one).
                      Neighbours are sought in them too, if images are large and there is no Inception-v3
${inceptionHelp}
  --seed N            seed of everything random (default: 1)
${hintHelp}
${kernelHelp}
  --export FILE       also write features, logits and labels of the test images to an .npz file
  --json              print the results as JSON instead of the report's key figures
  --debug             show the stack trace of an error
  --help              show this text

Examples:
  ./run evaluate
  ./run evaluate --model runs/cifar10 --ood svhn=/data/svhn
  ./run evaluate --model runs/digits --only classification,calibration --json
  ./run evaluate --model best_valid_ckpt.pt --dataset cifar10 --export features.npz
`;

const options = {
  model: { type: "string" },
  out: { type: "string" },
  only: { type: "string" },
  "data-folder": { type: "string" },
  ood: { type: "string", multiple: true },
  "attack-images": { type: "string", default: "100" },
  "attack-order": { type: "string", default: "drawn" },
  "attack-steps": { type: "string", default: "50" },
  restarts: { type: "string", default: "1" },
  purify: { type: "string", default: "0" },
  "purify-images": { type: "string", default: "20" },
  "generated-images": { type: "string", default: "10000" },
  fresh: { type: "string", default: "0" },
  referee: { type: "string" },
  ...inceptionArguments,
  seed: { type: "string", default: "1" },
  ...hintOptions,
  ...kernelOption,
  export: { type: "string" },
  json: { type: "boolean" },
  debug: { type: "boolean" },
} as const;

type Values = ReturnType<typeof parse>;

function parse(args: readonly string[]) {
  return parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values;
}

/**
 * The command, for one rank of a job. All ranks ask the same questions and divide the work of each, and rank 0 writes
 * and prints. {@link silence} the other ranks.
 */
export function evaluateCommand(communicator: Communicator): Command {
  return { help, run: (args) => evaluate(communicator, parse(args)) };
}

async function evaluate(communicator: Communicator, values: Values): Promise<number> {
  const asked = chosenQuestions(values.only);
  const plain = optionsOf(values);
  const folder = values.out ?? await defaultOut(values.model);
  await writeOnly({ files: [values.export, values["fid-statistics"]], folders: [folder] });
  const began = performance.now();
  const gpu = await openAdapter();
  const kernels = await kernelTable(gpu, values.kernels, values.json ? printError : print);
  const context = contextWith(gpu, kernels);
  const inception = await inceptionOptions(context, values);
  const subject = await loadSubject(communicator, context, values);
  await requireSameWork(communicator, { gpu, kernels, values, ...subject }, {
    "other sets": communicator.size === 1 ? {} : checksumsOf(subject),
    "Inception-v3": { weights: inception !== undefined, statistics: inception?.statistics?.file ?? null },
  });
  const isFirst = communicator.rank === 0;
  const questionOptions: QuestionOptions = {
    ...plain,
    inception: inception && { ...inception, keep: isFirst ? inception.keep : () => Promise.resolve() },
  };
  if (values.export !== undefined) await exportFeatures(subject, values.export);
  const answers = new Map<string, Answer>();
  const line = new LiveLine();
  for (const [i, question] of asked.entries()) {
    const tell = (share: number) => line.progress(bar(`${question.name} (${i + 1}/${asked.length})`, share));
    tell(0);
    const answer = await question.ask(subject, questionOptions, tell);
    if (answer) answers.set(question.name, answer);
    line.clear();
  }
  if (isFirst) {
    const seconds = (performance.now() - began) / 1000;
    const name = values.model ?? "data/models/digits.safetensors";
    const trainedIn = values.model === undefined ? undefined : await runFolder(values.model);
    const json = await write(folder, subject, answers, name, trainedIn, seconds);
    print(values.json ? json : summary(answers, folder, seconds));
  }
  context.gpu.destroy();
  return exitStatus.success;
}

/** Most images of each other set that are scored. */
const otherImages = 10_000;

function chosenQuestions(only: string | undefined) {
  if (only === undefined) return questions;
  return only.split(",").map((name) => {
    const found = questions.find((question) => question.name === name.trim());
    if (found) return found;
    throw new UsageError(`--only takes ${questions.map(({ name }) => name).join(", ")}, not "${name}"`);
  });
}

function optionsOf(values: Values): QuestionOptions {
  const freshSamples = wholeNumber("--fresh", values.fresh)!;
  if (freshSamples === 1) throw new UsageError("--fresh takes at least 2 chains: one has no covariance");
  return {
    seed: wholeNumber("--seed", values.seed)!,
    attackImages: wholeNumber("--attack-images", values["attack-images"], 1)!,
    attackOrder: attackOrderOf(values["attack-order"]),
    attackSteps: wholeNumber("--attack-steps", values["attack-steps"], 1)!,
    attackRestarts: wholeNumber("--restarts", values.restarts, 1)!,
    purificationSteps: wholeNumber("--purify", values.purify)!,
    purifiedImages: wholeNumber("--purify-images", values["purify-images"], 1)!,
    otherImages,
    freshSamples,
    generatedImages: wholeNumber("--generated-images", values["generated-images"], 2)!,
  };
}

function attackOrderOf(name: string): AttackOrder {
  const found = attackOrders.find((order) => order === name);
  if (found) return found;
  throw new UsageError(`--attack-order takes ${attackOrders.join(" or ")}, not "${name}"`);
}

async function loadSubject(
  communicator: Communicator,
  context: Context,
  values: Values,
): Promise<Subject> {
  const hints = hintsOf(values);
  const { model, checkpoint } = await loadModel(context, values.model ?? shippedModel, hints);
  const report = values.json ? printError : print;
  const dataset = await loadFitting(checkpoint, values["data-folder"], hints.dataset, report);
  const test = new DeviceImages(context, dataset, dataset.test);
  const train = new DeviceImages(context, dataset, dataset.train);
  let classified: ReturnType<typeof classifyImages> | undefined;
  return {
    communicator,
    model,
    checkpoint,
    dataset,
    test,
    train,
    classifiedTest: () => classified ??= classifyImages(model, test, { communicator }),
    referee: values.referee === undefined ? undefined : await loadReferee(context, values.referee, dataset),
    others: await otherSets(dataset, values.ood ?? [], otherImages),
    history: await sampleHistory(values.model),
  };
}

/**
 * The model in whose features samples are judged. It may know other classes, but must take the same images.
 * @throws {DataError} if it takes images of another size.
 */
async function loadReferee(context: Context, path: string, dataset: Dataset): Promise<Subject["referee"]> {
  const { model, checkpoint } = await loadModel(context, path, {});
  requireImageSize(`--referee ${path}`, dataset, checkpoint.images);
  return { name: path, model };
}

async function defaultOut(model: string | undefined): Promise<string> {
  return model !== undefined && await exists(`${model}/config.json`) ? `${model}/evaluation` : "evaluation";
}

/**
 * Writes all files and returns the JSON text.
 * @param trainedIn folder where the model's training may have left its metrics
 */
async function write(
  folder: string,
  { checkpoint, model, dataset }: Subject,
  answers: ReadonlyMap<string, Answer>,
  name: string,
  trainedIn: string | undefined,
  seconds: number,
): Promise<string> {
  await Deno.mkdir(folder, { recursive: true });
  const about = description(checkpoint);
  const results = Object.fromEntries([...answers].map(([key, { results }]) => [key, results]));
  const head = {
    model: name,
    description: about,
    iteration: checkpoint.iteration,
    configuration: checkpoint.configuration,
    data: describeData(dataset),
  };
  const json = JSON.stringify(
    { ...head, adapter: model.context.gpu.adapterName, seconds, results },
    undefined,
    2,
  );
  await writeAtomically(`${folder}/results.json`, `${json}\n`);
  for (const { files } of answers.values()) {
    for (const [file, contents] of files) await writeAtomically(`${folder}/${file}`, contents);
  }
  const sections: Section[] = [
    ...[...answers.values()].map(({ section }) => section),
    ...await trainingSection(trainedIn),
  ];
  const key = [...answers.values()].flatMap((answer) => answer.key);
  const subtitle = `${about}; evaluated on ${dataset.test.count} test images of ${dataset.name} in ` +
    `${duration(seconds)} on ${model.context.gpu.adapterName}`;
  await writeAtomically(
    `${folder}/report.html`,
    reportPage({ title: `Evaluation of ${name}`, subtitle, key, sections }),
  );
  return json;
}

function description({ configuration, iteration, images: { height, width, channels } }: Checkpoint): string {
  const { depth, width: widening, norm, dataset, likelihoodWeight, steps, rho } = configuration;
  const method = likelihoodWeight > 0 ? `K = ${steps}, ρ = ${rho}` : `no likelihood, ρ = ${rho}`;
  return `WRN-${depth}-${widening}, norm ${norm}, ${method}, on ${dataset} (${height}×${width}×${channels}), ` +
    `${iteration} iterations`;
}

function summary(answers: ReadonlyMap<string, Answer>, folder: string, seconds: number): string {
  const key = [...answers.values()].flatMap((answer) => answer.key);
  const rows = key.map(([name, value, note]) => [name, value, note === undefined ? "" : `(${note})`]);
  const figures = key.length > 0 ? `${table(rows)}\n` : "";
  return `${figures}wrote ${folder}/report.html, ${folder}/results.json and plots in ${duration(seconds)}`;
}

function checksumsOf({ others }: Subject) {
  return Object.fromEntries(others.map(({ name, set }) => [name, crc32Text(set.bytes)]));
}

function bar(text: string, share: number): string {
  const width = 24;
  const done = Math.round(width * Math.min(1, share));
  return `[${"#".repeat(done)}${"-".repeat(width - done)}] ${text}`;
}

async function exportFeatures({ model, test, communicator }: Subject, path: string): Promise<void> {
  const { features, logits, size } = await extractFeatures(model, test, { communicator });
  if (communicator.rank > 0) return;
  const arrays = new Map<string, NumpyArray>([
    ["features", { shape: [test.count, size], data: features }],
    ["logits", { shape: [test.count, model.architecture.classes], data: logits }],
    ["labels", { shape: [test.count], data: Int32Array.from(test.labels) }],
  ]);
  await writeAtomically(path, serializeNpz(arrays));
}

if (import.meta.main) await execute(withGpuOption("evaluate", evaluateCommand(oneProcess)));
