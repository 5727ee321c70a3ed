import { Draw, drawSome } from "../../data/draw.ts";
import { DataError } from "../../errors.ts";
import { extractFeatures, type Features, FloatImages } from "../../evaluate/features.ts";
import { frechetDistance, gaussianStatistics } from "../../evaluate/frechet.ts";
import {
  bestOfClasses,
  inceptionScore,
  kernelDistance,
  officialParts,
  type Spread,
} from "../../evaluate/generation.ts";
import { largestOfRows, softmaxRows } from "../../evaluate/probabilities.ts";
import { logDensities } from "../../evaluate/scores.ts";
import { imageGrid } from "../../formats/pictures/image_grid.ts";
import { encodePng } from "../../formats/pictures/png.ts";
import type { WideResNet } from "../../nn/wide_resnet.ts";
import { AnswerBuilder, type Question, type Subject } from "../question.ts";
import { type InceptionResults, inceptionResults, requireChosen } from "./inception.ts";
import { type Samples, samplesOf } from "./samples.ts";

/** Pictures of each class. */
const perClass = 10;
const mostClasses = 10;
const kernelOptions = { subsets: 20, subsetSize: 500 };

/** How good are its images? Samples, classified by the model itself, against the training images. */
export const generation: Question = {
  name: "generation",
  async ask(subject, options, progress) {
    const { model, train, referee, communicator } = subject;
    const samples = await samplesOf(subject, options);
    if (!samples) return undefined;
    const { count } = samples;
    requireEnough(count, train.count);
    const images = new FloatImages(model.context, samples.images, train.shape);
    const total = 2 * count + train.count;
    const done = (before: number) => ({
      communicator,
      progress: (done: number) => progress((before + done) / total),
    });
    const own = await extractFeatures(model, images, done(0));
    if (options.inception) requireChosen(own.logits, model.architecture.classes);
    const densities = await logDensities(model, images, own, done(count));
    const judge = referee?.model ?? model;
    const judged = judge === model ? own : await extractFeatures(judge, images, { communicator });
    const real = await extractFeatures(judge, train, done(2 * count));
    const distances = await classifierDistances(subject, judged, real, judge, options.seed);
    const official = options.inception &&
      await inceptionResults(subject, samples.images, own.logits, options.inception, options.seed, progress);
    const featuresOf = referee?.name ?? "the model itself";
    const report = describe(samples, distances, featuresOf, official);
    const confidences = largestOfRows(
      softmaxRows(own.logits, model.architecture.classes),
      model.architecture.classes,
    ).values;
    report
      .picture(
        "best_by_class",
        sheet(subject, samples, own, confidences),
        "Samples by class, the highest p(y|x) first",
      )
      .picture(
        "best_by_density",
        sheet(subject, samples, own, densities),
        "The same, the highest log p̃(x) first",
      );
    const { frechetClassifierDistance: frechet } = distances;
    return report.answer({
      images: count,
      origin: samples.origin,
      featuresOf,
      ...distances,
      inception: official,
    }, [
      ...(official ? [["FID", official.fid.toFixed(2)] as const] : []),
      ["Fréchet classifier distance", frechet.toFixed(2)],
    ]);
  },
};

/** Statistics take two images of each kind: said before anything is computed. */
function requireEnough(samples: number, real: number): void {
  if (samples < 2) throw new DataError(`${samples} sample has no covariance; judge at least 2 (--fresh)`);
  if (real < 2) throw new DataError(`${real} training image has no covariance; at least 2 are needed`);
}

/** Distances between generated and real images in a classifier's features. */
async function classifierDistances(
  { communicator }: Subject,
  generated: Features,
  real: Features,
  { architecture: { classes } }: WideResNet,
  seed: number,
) {
  const statistics = ({ features, size }: Features) => gaussianStatistics(features, size, communicator);
  const kernel = { ...kernelOptions, seed };
  return {
    frechetClassifierDistance: frechetDistance(await statistics(generated), await statistics(real)),
    kernelClassifierDistance: await kernelDistance(
      generated.features,
      real.features,
      real.size,
      kernel,
      communicator,
    ),
    classifierScore: inceptionScore(
      softmaxRows(generated.logits, classes),
      classes,
      officialParts(generated.logits.length / classes),
    ),
  };
}

function describe(
  { count, origin }: Samples,
  distances: Awaited<ReturnType<typeof classifierDistances>>,
  featuresOf: string,
  official: InceptionResults | undefined,
): AnswerBuilder {
  const report = new AnswerBuilder("Generation").table([origin, ""], [
    ["images", String(count)],
    ["Fréchet classifier distance", distances.frechetClassifierDistance.toFixed(3)],
    ["kernel classifier distance", spread(distances.kernelClassifierDistance)],
    ["classifier score", scoreText(distances.classifierScore, count)],
  ], note(featuresOf));
  if (!official) return report.text(noInception);
  const { fid, fidImages, kid, inceptionScore: score, inceptionScoreImages, description } = official;
  return report.table(["Inception-v3", "", "images"], [
    ["FID", fid.toFixed(3), String(fidImages)],
    kid
      ? ["KID", spread(kid), String(fidImages)]
      : ["KID", "needs the real images' features; leave out --fid-statistics", ""],
    score
      ? ["Inception Score", scoreText(score, inceptionScoreImages), String(inceptionScoreImages)]
      : ["Inception Score", "too few samples", ""],
  ], description);
}

const noInception = "FID, KID and Inception Score need Inception-v3 with the standard FID weights " +
  "(pt_inception-2015-12-05-6726825d.pth): --inception FILE, or that file in data/inception/.";

function note(featuresOf: string): string {
  return `Distances to the training images in the pooled features of ${featuresOf}, and the Inception Score's formula with its ` +
    "p(y|x). They are no FID, KID or Inception Score, and comparable only where the features are the same.";
}

/** A score and the number of images behind it; the spread of a single part means nothing. */
function scoreText(score: Spread, images: number): string {
  return officialParts(images) > 1 ? spread(score) : score.mean.toFixed(3);
}

function spread({ mean, deviation }: Spread): string {
  return `${mean.toPrecision(3)} ± ${deviation.toPrecision(2)}`;
}

/** A row of samples for each class that the model assigns, or for some of many classes, the best first. */
function sheet(
  { dataset: { height, width, channels, classNames } }: Subject,
  { images: samples }: Samples,
  { logits }: Features,
  scores: ArrayLike<number>,
): Uint8Array {
  const pixels = height * width * channels;
  const shown = drawSome(classNames.length, mostClasses, Draw.classes);
  const rows = shown.length;
  const images = new Float32Array(rows * perClass * pixels);
  const best = bestOfClasses(logits, scores, classNames.length, 1);
  shown.forEach((label, row) => {
    best[label]!.slice(0, perClass).forEach((index, column) => {
      images.set(samples.subarray(index * pixels, (index + 1) * pixels), (row * perClass + column) * pixels);
    });
  });
  const shape = { count: rows * perClass, height, width, channels };
  return encodePng(imageGrid(images, shape, { columns: perClass }));
}
