import { DataError } from "../../errors.ts";
import { extractFeatures, type Features, FloatImages } from "../../evaluate/features.ts";
import { frechetDistance, gaussianStatistics } from "../../evaluate/frechet.ts";
import { Resampled } from "../../evaluate/bootstrap.ts";
import { frechetInterval, scoreInterval } from "../../evaluate/generation_intervals.ts";
import type { Interval } from "../../evaluate/proportion.ts";
import { inceptionScore, kernelDistance, officialParts, type Spread } from "../../evaluate/generation.ts";
import { largestOfRows, softmaxRows } from "../../evaluate/probabilities.ts";
import { logDensities } from "../../evaluate/scores.ts";
import type { WideResNet } from "../../nn/wide_resnet.ts";
import {
  AnswerBuilder,
  type Progress,
  type Question,
  type QuestionOptions,
  type Subject,
} from "../question.ts";
import { addFidelity, fidelityResults, keyFidelity } from "./fidelity.ts";
import { inceptionExtractor, type InceptionResults, inceptionResults, requireChosen } from "./inception.ts";
import { addMemorisation, addNeighbours, memorisationResults } from "./memorisation.ts";
import { bufferSamples, type Samples, samplesOf } from "./samples.ts";
import { sheet, shownSamples } from "./sheet.ts";
import { chooseSpace, type Space } from "./space.ts";

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
    const extract = options.inception && inceptionExtractor(subject, options.inception);
    const official = options.inception &&
      await inceptionResults(
        subject,
        samples.images,
        own.logits,
        options.inception,
        options.seed,
        progress,
        extract,
      );
    const confidences = largestOfRows(
      softmaxRows(own.logits, model.architecture.classes),
      model.architecture.classes,
    ).values;
    const shown = shownSamples(subject, own.logits, confidences);
    const report = new AnswerBuilder("Generation");
    if (official) addInception(report, official);
    const space = chooseSpace(subject, options, extract, {
      model: judge,
      samples: [images, judged],
      training: [train, real],
    });
    const near = typeof space === "string"
      ? (report.text(space), undefined)
      : await addNearest(report, subject, options, space, samples, images, shown, progress);
    const featuresOf = referee?.name ?? ownFeatures;
    addClassifierDistances(report, samples, distances, featuresOf);
    if (!official) report.text(noInception);
    report
      .picture(
        "best_by_class",
        sheet(subject, samples.images, shown),
        "Samples by class, the highest p(y|x) first",
      )
      .picture(
        "best_by_density",
        sheet(subject, samples.images, shownSamples(subject, own.logits, densities)),
        "The same, the highest log p̃(x) first",
      );
    return report.answer({
      images: count,
      origin: samples.origin,
      featuresOf,
      ...distances,
      inception: official,
      ...near?.results,
    }, [
      ...(official ? [["FID", official.fid.toFixed(2)] as const] : []),
      ...near?.key ?? [],
      ...(referee
        ? [["Fréchet classifier distance", distances.frechetClassifierDistance.toFixed(2)] as const]
        : []),
    ]);
  },
};

/** What `results.json` calls the features of a model that is its own judge. */
const ownFeatures = "the model itself";

/** Compares samples with their nearest neighbours, and adds what is found. */
async function addNearest(
  report: AnswerBuilder,
  subject: Subject,
  { freshSamples, generatedImages, seed }: QuestionOptions,
  space: Space,
  samples: Samples,
  images: FloatImages,
  shown: readonly (readonly number[])[],
  progress: Progress,
) {
  const { model: { context }, train } = subject;
  const entries = freshSamples > 0
    ? bufferSamples(subject, Math.min(samples.count, generatedImages))
    : undefined;
  const buffer = entries && new FloatImages(context, entries.images, train.shape);
  const sets = { samples: images, buffer };
  if (space.caution !== undefined) report.warning(space.caution);
  const fidelity = await fidelityResults(subject, space, sets, seed, progress);
  if (typeof fidelity === "string") report.text(fidelity);
  else addFidelity(report, fidelity, samples.origin);
  const memorisation = await memorisationResults(subject, space, sets, seed);
  addMemorisation(report, memorisation);
  await addNeighbours(report, subject, space, sets, shown, memorisation.medianOfHeldOut);
  return {
    results: { ...(typeof fidelity !== "string" && { fidelity }), memorisation },
    key: typeof fidelity === "string" ? [] : keyFidelity(fidelity),
  };
}

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
  const reference = await statistics(real);
  const probabilities = softmaxRows(generated.logits, classes);
  const parts = officialParts(probabilities.length / classes);
  return {
    frechetClassifierDistance: frechetDistance(await statistics(generated), reference),
    frechetClassifierInterval: await frechetInterval(
      reference,
      generated.features,
      { seed, stream: Resampled.frechet },
      communicator,
    ),
    kernelClassifierDistance: await kernelDistance(
      generated.features,
      real.features,
      real.size,
      kernel,
      communicator,
    ),
    classifierScore: inceptionScore(probabilities, classes, parts),
    ...(parts === 1 && {
      classifierScoreInterval: scoreInterval(probabilities, classes, { seed, stream: Resampled.score }),
    }),
  };
}

/** Distances in a classifier's features, under names that say whose they are. */
function addClassifierDistances(
  report: AnswerBuilder,
  { count, origin }: Samples,
  distances: Awaited<ReturnType<typeof classifierDistances>>,
  featuresOf: string,
): void {
  const isOwn = featuresOf === ownFeatures;
  report.table([origin, ""], [
    ["images", String(count)],
    [
      isOwn ? "Fréchet distance in the model's own features" : "Fréchet classifier distance",
      within(distances.frechetClassifierDistance, distances.frechetClassifierInterval),
    ],
    [
      isOwn ? "kernel distance in the model's own features" : "kernel classifier distance",
      spread(distances.kernelClassifierDistance),
    ],
    ["classifier score", scoreText(distances.classifierScore, count, distances.classifierScoreInterval)],
  ], note(featuresOf));
}

function addInception(report: AnswerBuilder, official: InceptionResults): void {
  const {
    fid,
    fidImages,
    kid,
    inceptionScore: score,
    inceptionScoreInterval,
    inceptionScoreImages,
    description,
  } = official;
  report.table(["Inception-v3", "", "images"], [
    ["FID", fid.toFixed(3), String(fidImages)],
    kid
      ? ["KID", spread(kid), String(fidImages)]
      : ["KID", "needs the real images' features; leave out --fid-statistics", ""],
    score
      ? [
        "Inception Score",
        scoreText(score, inceptionScoreImages, inceptionScoreInterval),
        String(inceptionScoreImages),
      ]
      : ["Inception Score", "too few samples", ""],
  ], description);
}

const noInception = "FID, KID and Inception Score need Inception-v3 with the standard FID weights " +
  "(pt_inception-2015-12-05-6726825d.pth): --inception FILE, or that file in data/inception/.";

function note(featuresOf: string): string {
  return `Distances to the training images in the pooled features of ${featuresOf}, and the Inception Score's formula with its ` +
    "p(y|x). They are no FID, KID or Inception Score, and comparable only where the features are the same. After ± the " +
    "deviation over subsets. In brackets 95 % intervals: percentiles of bootstrap resamples of the samples, moved to " +
    "have their mean at the figure.";
}

/** A score of a number of images; the spread of a single part means nothing. */
function scoreText(score: Spread, images: number, interval: Interval | undefined): string {
  return officialParts(images) > 1 ? spread(score) : within(score.mean, interval);
}

function within(value: number, interval: Interval | undefined): string {
  if (!interval) return value.toFixed(3);
  return `${value.toFixed(3)} (${interval.map((bound) => bound.toFixed(3)).join("–")})`;
}

function spread({ mean, deviation }: Spread): string {
  return `${mean.toPrecision(3)} ± ${deviation.toPrecision(2)}`;
}
