import { parseArgs } from "node:util";
import { shortList } from "../data/class_names.ts";
import { imageGrid, type ImagesShape } from "../formats/pictures/image_grid.ts";
import { type NumpyArray, serializeNpz } from "../formats/npz.ts";
import { type ByteImage, encodeApng, encodePng } from "../formats/pictures/png.ts";
import { conditionalScore, generate, unconditionalScore } from "../jem/generate.ts";
import { evaluation, type WideResNet } from "../nn/wide_resnet.ts";
import { streamWords } from "../random/philox.ts";
import type { Context } from "../tensor/context.ts";
import { logSumExp } from "../tensor/operations/log_sum_exp.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { chainStarts, informativeStart, startImages, startingClasses } from "../train/chain_starts.ts";
import type { Checkpoint } from "../train/checkpoint/checkpoint.ts";
import { writeAtomically } from "../train/run/files.ts";
import { compilePlan } from "./compiling.ts";
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
import { contextWith, kernelHelp, kernelOption, kernelTable } from "./kernels.ts";
import { LiveLine } from "./live_line.ts";
import { hintHelp, hintOptions, hintsOf, loadFitting, loadModel, shippedModel } from "./model.ts";
import { writeOnly } from "./permissions.ts";

const help = `
Draw images from a trained model by SGLD, and picture them in one PNG.

Usage: deno task sample [options]

  --model PATH        a run directory, or a model or checkpoint file (default: the digits model that comes along)
  --count N           images (default: 100)
  --class NAME        draw from p(x|y) of one class, given by its name or number (default: from p(x))
  --init START        informative: Gaussians fitted to the classes of the training images (default);
                      buffer: the model's replay buffer; noise: uniform noise
  --steps N           SGLD steps (default: K of the training)
  --step-size X       step size α (default: that of the training)
  --seed N            seed of everything random (default: 1)
  --data-folder DIR   where the training images are, if not where they were in training
${hintHelp}
${kernelHelp}
  --out FILE          the picture (default: samples.png)
  --export FILE       also write images [N, H, W, C] in [−1, 1], logits and energies to an .npz file
  --animate FILE      also an animated PNG of the chains
  --debug             show the stack trace of an error
  --help              show this text

Examples:
  deno task sample
  deno task sample --class 3 --count 25 --out threes.png
  deno task sample --init noise --steps 200 --animate chain.png
  deno task sample --model runs/cifar10 --init buffer --steps 0
  deno task sample --model best_valid_ckpt.pt --dataset cifar10 --init noise --steps 100 --export samples.npz
`;

const options = {
  model: { type: "string" },
  count: { type: "string", default: "100" },
  class: { type: "string" },
  init: { type: "string", default: "informative" },
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

/** Most frames of an animation, and milliseconds that each is shown. */
const maximumFrames = 100;
const frameDelay = 60;

const sample: Command = {
  help,
  async run(args) {
    const { values } = parseArgs({ args: [...args], options, strict: true, allowPositionals: false });
    const count = wholeNumber("--count", values.count, 1)!;
    const seed = wholeNumber("--seed", values.seed)!;
    const start = chainStarts.find((name) => name === values.init);
    if (!start) throw new UsageError(`--init takes ${chainStarts.join(", ")}, not "${values.init}"`);
    await writeOnly({ files: [values.out, values.animate, values.export] });

    const gpu = await openAdapter();
    const context = contextWith(gpu, await kernelTable(gpu, values.kernels));
    const hints = hintsOf(values);
    const { model, checkpoint } = await loadModel(context, values.model ?? shippedModel, hints);
    const steps = wholeNumber("--steps", values.steps) ?? checkpoint.configuration.steps;
    const stepSize = positiveNumber("--step-size", values["step-size"]) ?? checkpoint.configuration.stepSize;
    const label = classNumber(values.class, checkpoint.images.classNames);
    const classes = startingClasses(count, checkpoint.images.classNames.length, label);
    const informative = async () =>
      informativeStart(context, await loadFitting(checkpoint, values["data-folder"], hints.dataset));
    const images = await startImages(context, checkpoint, start, classes, seed, informative);

    const shape = { count, ...checkpoint.images };
    const frames = new Frames(values.animate === undefined ? 0 : steps, images, shape);
    await frames.take(-1);
    await runChains(context, model, checkpoint, images, { steps, stepSize, seed, label }, frames);

    await writeAtomically(values.out, encodePng(imageGrid(await images.read(), shape)));
    if (values.animate !== undefined) {
      await writeAtomically(values.animate, encodeApng(frames.all, frameDelay));
    }
    const assessment = await assess(model, images);
    if (values.export !== undefined) await exportSamples(values.export, images, assessment);
    printAssignments(assessment, checkpoint.images.classNames);
    const written = [values.out, values.animate, values.export].filter((path) => path !== undefined);
    print(`wrote ${written.join(", ")}`);
    context.gpu.destroy();
    return exitStatus.success;
  },
};

/** Runs the chains in place. */
async function runChains(
  context: Context,
  model: WideResNet,
  { configuration: { noiseScale } }: Checkpoint,
  images: Tensor,
  { steps, stepSize, seed, label }: {
    readonly steps: number;
    readonly stepSize: number;
    readonly seed: number;
    readonly label: number | undefined;
  },
  frames: Frames,
): Promise<void> {
  const line = new LiveLine();
  const count = images.shape[0]!;
  const score = label === undefined
    ? unconditionalScore(model)
    : conditionalScore(model, context.from(new Uint32Array(count).fill(label), [count]));
  await generate(
    score,
    images,
    { steps, stepSize, noiseScale, prepare: (plan) => compilePlan(context.gpu, plan, line) },
    (step) => streamWords(seed, step),
    async (step) => {
      line.progress(`step ${step + 1}/${steps}`);
      await frames.take(step);
    },
  );
  line.clear();
}

/** What the model makes of the images: logits `[N, classes]`, and energies `[N]`. */
async function assess(model: WideResNet, images: Tensor) {
  const { context } = model;
  using logits = model.classify(images, evaluation);
  using scores = model.architecture.unconditional ? model.energyScore(images, evaluation) : logSumExp(logits);
  const [logitValues, scoreValues] = await context.read([logits, scores]);
  return { logits: logitValues!, energies: scoreValues!.map((score) => -score) };
}

type Assessment = Awaited<ReturnType<typeof assess>>;

/** Prints each class's images and their mean energy, as the model assigns them. */
function printAssignments({ logits, energies }: Assessment, classNames: readonly string[]): void {
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
async function exportSamples(path: string, images: Tensor, { logits, energies }: Assessment): Promise<void> {
  const count = energies.length;
  const arrays = new Map<string, NumpyArray>([
    ["images", { shape: images.shape, data: await images.read() }],
    ["logits", { shape: [count, logits.length / count], data: logits }],
    ["energies", { shape: [count], data: energies }],
  ]);
  await writeAtomically(path, serializeNpz(arrays));
}

function row(name: string, energies: readonly number[]): string[] {
  const mean = energies.reduce((sum, energy) => sum + energy, 0) / energies.length;
  const figures = [mean, Math.min(...energies), Math.max(...energies)];
  return [name, String(energies.length), ...figures.map((figure) => figure.toFixed(2))];
}

/** Collects pictures of the chains while they run. */
class Frames {
  readonly all: ByteImage[] = [];
  readonly #every: number;

  /** @param steps of the chain; 0 takes no pictures */
  constructor(readonly steps: number, readonly images: Tensor, readonly shape: ImagesShape) {
    this.#every = Math.max(1, Math.ceil(steps / maximumFrames));
  }

  /** Takes a picture after step `step` (−1: the start), if it is one of those shown. */
  async take(step: number): Promise<void> {
    if (this.steps === 0 || (step + 1) % this.#every !== 0 && step + 1 !== this.steps) return;
    this.all.push(imageGrid(await this.images.read(), this.shape));
  }
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

if (import.meta.main) await execute(sample);
