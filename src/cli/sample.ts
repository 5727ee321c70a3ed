import { parseArgs } from "node:util";
import type { Dataset } from "../data/dataset.ts";
import { shortList } from "../data/class_names.ts";
import type { ImagesShape } from "../formats/pictures/image_grid.ts";
import { inRounds } from "../distributed/batches.ts";
import { type Communicator, oneProcess } from "../distributed/communicator.ts";
import { type NumpyArray, serializeNpz } from "../formats/npz.ts";
import { encodeApng, encodePng } from "../formats/pictures/png.ts";
import { blocksOfStream } from "../kernels/random/philox.ts";
import { carriesStarts } from "../train/carried_starts.ts";
import {
  chainStarts,
  fittedImages,
  informativeStart,
  samplingSteps,
  startImages,
  startingClasses,
} from "../train/chain_starts.ts";
import { chainStatistics, startReference } from "../train/reference_start.ts";
import { writeAtomically } from "../train/run/files.ts";
import { compilePlan } from "./compiling.ts";
import { type Chains, drawBatch } from "./sampling/draw_batch.ts";
import { batchBytes, DrawnImages, mostPictured } from "./sampling/drawn_images.ts";
import { openAdapter } from "./adapter.ts";
import {
  type Command,
  execute,
  exitStatus,
  positiveNumber,
  print,
  UsageError,
  wholeNumber,
} from "./command.ts";
import { table } from "./format.ts";
import { withGpuOption } from "./gpu_option.ts";
import { contextWith, kernelHelp, kernelOption, kernelTable } from "./kernels.ts";
import { LiveLine } from "./live_line.ts";
import { hintHelp, hintOptions, hintsOf, loadFitting, loadModel, shippedModel } from "./model.ts";
import { writeOnly } from "./permissions.ts";
import { requireSameWork } from "./job/same_work.ts";

const help = `
Draw images from a trained model by SGLD, and picture them in one PNG.

Usage: ./run sample [options]

  --model PATH        a run directory, a model or checkpoint file, or the name of a bundled model (default: digits)
  --count N           images, drawn 100 at a time (default: 100)
  --class NAME        draw from p(x|y) of one class, given by its name or number (default: from p(x))
  --init START        informative: Gaussians of the classes, which the model carries or which are fitted to its
                      training images (default); buffer: the model's replay buffer; noise: uniform noise
  --statistics WHICH  the statistics of batch norm. batch: those of reference chains of all classes, which run beside
                      yours (default); running: those of training. No image depends on another one drawn with it
  --steps N           SGLD steps (default: what the model says, or else K of the training)
  --step-size X       step size α (default: that of the training)
  --seed N            seed of everything random (default: 1)
  --data-folder DIR   where the training images are, if they are needed and not where they were in training
${hintHelp}
${kernelHelp}
  --out FILE          the picture, of the first 400 images at most (default: samples.png)
  --export FILE       also write all images [N, H, W, C] in [−1, 1], logits and energies to an .npz file; 2 GB at most
  --animate FILE      also an animated PNG of the pictured chains
  --debug             show the stack trace of an error
  --help              show this text

Examples:
  ./run sample
  ./run sample --class 3 --count 25 --out threes.png
  ./run sample --init noise --steps 200 --animate chain.png
  ./run sample --model runs/cifar10 --init buffer --steps 0
  ./run sample --model runs/cifar10 --count 50000 --export samples.npz
  ./run sample --model best_valid_ckpt.pt --dataset cifar10 --init noise --steps 100 --export samples.npz
`;

const options = {
  model: { type: "string" },
  count: { type: "string", default: "100" },
  class: { type: "string" },
  init: { type: "string", default: "informative" },
  statistics: { type: "string", default: "batch" },
  steps: { type: "string" },
  "step-size": { type: "string" },
  seed: { type: "string", default: "1" },
  "data-folder": { type: "string" },
  ...hintOptions,
  ...kernelOption,
  out: { type: "string", default: "samples.png" },
  export: { type: "string" },
  animate: { type: "string" },
  debug: { type: "boolean" },
} as const;

/** Chains that run at once. */
const batchSize = 100;
/** Milliseconds for which each frame of an animation is shown. */
const frameDelay = 60;
/** More images than any statistics need. The logits and energies of all are kept in memory. */
const mostImages = 1e6;
/** Most bytes of exported images. More could neither be compressed in one piece nor held several times over. */
const mostExportedBytes = 2e9;

type Values = ReturnType<typeof parse>;

function parse(args: readonly string[]) {
  return parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values;
}

/**
 * The command, for one rank of a job. Each rank runs some of the batches; rank 0 gathers, writes and prints. {@link
 * silence} the other ranks.
 */
export function sampleCommand(communicator: Communicator): Command {
  return { help, run: (args) => sample(communicator, parse(args)) };
}

async function sample(communicator: Communicator, values: Values): Promise<number> {
  const count = wholeNumber("--count", values.count, 1)!;
  const seed = wholeNumber("--seed", values.seed)!;
  const start = chainStarts.find((name) => name === values.init);
  if (!start) throw new UsageError(`--init takes ${chainStarts.join(", ")}, not "${values.init}"`);
  const statistics = chainStatistics.find((name) => name === values.statistics);
  if (!statistics) {
    throw new UsageError(`--statistics takes ${chainStatistics.join(" or ")}, not "${values.statistics}"`);
  }
  await writeOnly({ files: [values.out, values.animate, values.export] });

  const gpu = await openAdapter();
  const kernels = await kernelTable(gpu, values.kernels);
  const context = contextWith(gpu, kernels);
  const hints = hintsOf(values);
  const { model, checkpoint } = await loadModel(context, values.model ?? shippedModel, hints);
  const { images: format, configuration } = checkpoint;
  const shape = { count, ...format };
  const label = classNumber(values.class, format.classNames);
  const exported = values.export !== undefined;
  const dataset = start === "informative" && !carriesStarts(checkpoint)
    ? await loadFitting(checkpoint, values["data-folder"], hints.dataset)
    : undefined;
  requireDrawable(shape, dataset, exported);
  await requireSameWork(communicator, { gpu, kernels, values, checkpoint, dataset });

  const initialisation = start === "informative"
    ? informativeStart(context, checkpoint, () => fittedImages(context, dataset!))
    : undefined;
  const line = new LiveLine();
  let compiled = false;
  const sizes = {
    stepSize: positiveNumber("--step-size", values["step-size"]) ?? configuration.stepSize,
    noiseScale: configuration.noiseScale,
  };
  const informative = () => Promise.resolve(initialisation!);
  const settings = { ...sizes, start, seed, conditional: label !== undefined, keep: count > batchSize };
  const reference = statistics === "batch"
    ? await startReference(model, checkpoint, settings, informative)
    : undefined;
  const chains: Chains = {
    model,
    checkpoint,
    classes: startingClasses(count, format.classNames.length, label),
    seed,
    label,
    steps: wholeNumber("--steps", values.steps) ?? samplingSteps(checkpoint),
    stepSize: sizes.stepSize,
    starts: (classes, first) => startImages(context, checkpoint, start, classes, seed, informative, first),
    reference,
    line,
    prepare: async (plan) => {
      if (!compiled) await compilePlan(gpu, plan, line);
      compiled = true;
    },
  };
  const drawn = new DrawnImages(shape, format.classNames.length, exported);
  await inRounds(
    communicator,
    count,
    batchSize,
    async (first, size) => {
      const isPictured = first < mostPictured;
      const kept = { images: exported || isPictured, frames: isPictured && values.animate !== undefined };
      return batchBytes(await drawBatch(chains, first, size, kept));
    },
    (bytes, first, size) => drawn.take(bytes, first, size),
  );
  if (communicator.rank === 0) await write(values, drawn, format.classNames);
  context.gpu.destroy();
  return exitStatus.success;
}

/**
 * Refuses more images than one random stream or an exported file can hold.
 * @throws {UsageError} with the number that is possible.
 */
function requireDrawable(
  { count, height, width, channels }: ImagesShape,
  dataset: Dataset | undefined,
  exported: boolean,
): void {
  const pixels = height * width * channels;
  const members = new Map<number, number>();
  for (const label of dataset?.train.labels ?? []) members.set(label, (members.get(label) ?? 0) + 1);
  // An informative start takes a random number for each training image of its class.
  const numbers = [...members.values()].reduce((most, own) => Math.max(most, own), pixels);
  const drawn = Math.min(mostImages, Math.floor(4 * blocksOfStream / numbers));
  const held = Math.floor(mostExportedBytes / (pixels * Float32Array.BYTES_PER_ELEMENT));
  if (count <= (exported ? Math.min(drawn, held) : drawn)) return;
  const what = exported && held < drawn
    ? `--export takes at most ${held} images of ${height}×${width}×${channels}, ${mostExportedBytes / 1e9} GB`
    : `--count takes at most ${drawn}`;
  throw new UsageError(`${what}; for ${count} run the command several times, each with another --seed`);
}

/** Writes the files and prints their contents. */
async function write(values: Values, drawn: DrawnImages, classNames: readonly string[]): Promise<void> {
  await writeAtomically(values.out, encodePng(drawn.picture));
  if (values.animate !== undefined) {
    await writeAtomically(values.animate, encodeApng(drawn.frames, frameDelay));
  }
  if (values.export !== undefined) await exportSamples(values.export, drawn);
  printAssignments(drawn, classNames);
  const { count } = drawn.shape;
  const pictures = [values.out, values.animate].filter((path) => path !== undefined).join(", ");
  const shown = count > mostPictured ? ` (the first ${mostPictured} images)` : "";
  print(`wrote ${pictures}${shown}${values.export === undefined ? "" : `, ${values.export}`}`);
}

/** Prints the images and mean energy of each class that the model assigns. */
function printAssignments({ logits, energies }: DrawnImages, classNames: readonly string[]): void {
  const classes = classNames.length;
  const byClass: number[][] = classNames.map(() => []);
  energies.forEach((energy, i) => {
    const row = logits.subarray(i * classes, (i + 1) * classes);
    byClass[row.indexOf(Math.max(...row))]!.push(energy);
  });
  print(table([
    ["class assigned", "images", "energy mean", "min", "max"],
    ...classNames.map((name, i) => [name, byClass[i]!]).filter(([, list]) => list!.length > 0)
      .map(([name, list]) => row(name as string, list as number[])),
    row("all", [...energies]),
  ]));
}

/** Images, logits and energies for NumPy. */
async function exportSamples(
  path: string,
  { shape, classes, images, logits, energies }: DrawnImages,
): Promise<void> {
  const { count, height, width, channels } = shape;
  const arrays = new Map<string, NumpyArray>([
    ["images", { shape: [count, height, width, channels], data: images! }],
    ["logits", { shape: [count, classes], data: logits }],
    ["energies", { shape: [count], data: energies }],
  ]);
  await writeAtomically(path, serializeNpz(arrays));
}

function row(name: string, energies: readonly number[]): string[] {
  const figures = [
    energies.reduce((sum, energy) => sum + energy, 0) / energies.length,
    energies.reduce((least, energy) => Math.min(least, energy)),
    energies.reduce((most, energy) => Math.max(most, energy)),
  ];
  return [name, String(energies.length), ...figures.map((figure) => figure.toFixed(2))];
}

function classNumber(text: string | undefined, classNames: readonly string[]): number | undefined {
  if (text === undefined) return undefined;
  const named = classNames.indexOf(text);
  const number = named >= 0 ? named : /^\d+$/.test(text) ? Number(text) : -1;
  if (number >= 0 && number < classNames.length) return number;
  throw new UsageError(
    `--class takes one of ${shortList(classNames)}, or a number below ${classNames.length}, not "${text}"`,
  );
}

if (import.meta.main) await execute(withGpuOption("sample", sampleCommand(oneProcess)));
