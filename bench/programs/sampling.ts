/**
 * Compares ways to run chains: precision, recall, density and coverage of their ends among held-out images, and the
 * share that end in the class they started from. Nearest neighbours are found in pixels, which suits small images, or
 * in the features of a referee.
 */

import { parseArgs } from "node:util";
import { openAdapter } from "../../src/cli/adapter.ts";
import { print, wholeNumber } from "../../src/cli/command.ts";
import { table } from "../../src/cli/format.ts";
import { loadFitting, loadModel, shippedModel } from "../../src/cli/model.ts";
import { type ImageSet, pixelsOf } from "../../src/data/dataset.ts";
import { extractFeatures, FloatImages } from "../../src/evaluate/features.ts";
import { type Fidelity, fidelity, realBalls } from "../../src/evaluate/fidelity.ts";
import { largestOfRows } from "../../src/evaluate/probabilities.ts";
import { generate } from "../../src/jem/generate.ts";
import { conditionalScore, unconditionalScore } from "../../src/jem/score.ts";
import { evaluation, frozenTraining } from "../../src/nn/wide_resnet.ts";
import { streamWords } from "../../src/random/philox.ts";
import { Context } from "../../src/tensor/context.ts";
import {
  type ChainStart,
  fittedImages,
  informativeStart,
  samplingSteps,
  startImages,
  startingClasses,
} from "../../src/train/chain_starts.ts";
import { startReference } from "../../src/train/reference_start.ts";
import { bench } from "../lib/bench.ts";

/** A way to run chains. */
interface Way {
  readonly start: ChainStart;
  /** Statistics of batch norm: those of a reference, of the chains themselves, or of training. */
  readonly statistics: "batch" | "own" | "running";
  readonly steps: number;
  readonly stepSize: number;
  readonly noiseScale: number;
  readonly conditional: boolean;
}

await bench("sampling", async (args) => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      model: { type: "string" },
      count: { type: "string", default: "360" },
      "data-folder": { type: "string" },
      referee: { type: "string" },
    },
  });
  const count = wholeNumber("--count", values.count, 10)!;
  const gpu = await openAdapter();
  const context = new Context(gpu);
  const { model, checkpoint } = await loadModel(context, values.model ?? shippedModel, {});
  const dataset = await loadFitting(checkpoint, values["data-folder"], undefined);
  const { height, width, channels, maximum, test, train, classNames } = dataset;
  const pixels = height * width * channels;
  const scaled = ({ bytes }: ImageSet) => pixelsOf(bytes.subarray(0, count * pixels), maximum);
  const referee = values.referee === undefined ? undefined : await loadModel(context, values.referee, {});
  /** Where neighbours are found. */
  const placed = async (images: Float32Array) => {
    if (!referee) return images;
    const source = new FloatImages(context, images, [height, width, channels]);
    return (await extractFeatures(referee.model, source)).features;
  };
  const placedTest = await placed(scaled(test));
  const real = await realBalls(placedTest, placedTest.length / Math.min(count, test.count));
  const informative = informativeStart(context, checkpoint, () => fittedImages(context, dataset));
  const classes = startingClasses(count, classNames.length, undefined);
  const seed = 1;

  /** The ends of chains, and the share of them that the model assigns to the class of their start. */
  async function run(way: Way): Promise<{ images: Float32Array; kept: number }> {
    const { start, statistics, conditional, ...chain } = way;
    const starts = () => Promise.resolve(informative);
    using images = await startImages(context, checkpoint, start, classes, seed, starts);
    using labels = context.from(classes, [count]);
    const reference = statistics === "batch"
      ? await startReference(model, checkpoint, { ...way, seed, keep: false }, starts)
      : undefined;
    const mode = reference?.mode ?? (statistics === "own" ? frozenTraining : evaluation);
    const score = conditional ? conditionalScore(model, labels, mode) : unconditionalScore(model, mode);
    await generate(score, images, { ...chain, reference }, (step) => streamWords(seed, step));
    reference?.destroy();
    using logits = context.scope(() => model.classify(images, evaluation));
    const [ends, scores] = await context.read([images, logits]);
    const { positions } = largestOfRows(scores as Float32Array<ArrayBuffer>, classNames.length);
    const kept = classes.reduce((sum, label, i) => sum + Number(positions[i] === label), 0) / count;
    return { images: ends as Float32Array, kept };
  }

  const judge = async (images: Float32Array) => fidelity(real, await placed(images), { seed, stream: 0 });
  const row = (name: string, figures: Fidelity, kept = "") => [
    name,
    ...[figures.coverage, figures.precision, figures.recall, figures.density].map(({ value }) =>
      value.toFixed(2)
    ),
    kept,
  ];
  const rows = [
    ["chains", "coverage", "precision", "recall", "density", "class kept"],
    row("training images in their place", await judge(scaled(train))),
  ];
  const steps = samplingSteps(checkpoint);
  for (const [name, way] of Object.entries(waysOf({ ...checkpoint.configuration, steps }))) {
    if (positionals.length > 0 && !positionals.some((word) => name.includes(word))) continue;
    const { images, kept } = await run(way);
    rows.push(row(name, await judge(images), `${(100 * kept).toFixed(0)} %`));
  }
  print(table(rows));
  gpu.destroy();
});

/** The ways that are compared. Everything that a name does not mention is as in `sample`. */
function waysOf(
  { steps, stepSize, noiseScale }: { steps: number; stepSize: number; noiseScale: number },
): Record<string, Way> {
  const base: Way = {
    ...{ start: "informative", statistics: "batch", conditional: false } as const,
    ...{ steps, stepSize, noiseScale },
  };
  const many = 20;
  return {
    "informative starts alone": { ...base, steps: 0 },
    "as sample draws": base,
    "p(x|y)": { ...base, conditional: true },
    "statistics of their own batch": { ...base, statistics: "own" },
    "running statistics": { ...base, statistics: "running" },
    [`${many} steps`]: { ...base, steps: many },
    "40 steps": { ...base, steps: 40 },
    "100 steps": { ...base, steps: 100 },
    "60 steps, a tenth of the step size": { ...base, steps: 60, stepSize: stepSize / 10 },
    "the same, running statistics": { ...base, steps: 60, stepSize: stepSize / 10, statistics: "running" },
    [`${many} steps, noise 0.01`]: { ...base, steps: many, noiseScale: 0.01 },
    [`${many} steps, noise 0.05`]: { ...base, steps: many, noiseScale: 0.05 },
    [`noise starts, ${many} steps`]: { ...base, start: "noise", steps: many },
    "noise starts, 200 steps": { ...base, start: "noise", steps: 200 },
    "noise starts, 200 steps, noise 0.01": { ...base, start: "noise", steps: 200, noiseScale: 0.01 },
  };
}
