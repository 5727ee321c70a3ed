import { DataError } from "../../errors.ts";
import { extractFeatures, FloatImages } from "../../evaluate/features.ts";
import { largestOfRows, softmaxRows } from "../../evaluate/probabilities.ts";
import { logDensities } from "../../evaluate/scores.ts";
import { AnswerBuilder, itself, type Question } from "../question.ts";
import { addClassifierDistances, classifierDistances, scoreText, spread } from "./classifier_distances.ts";
import { inceptionExtractor, type InceptionResults, inceptionResults, requireChosen } from "./inception.ts";
import { addNearest } from "./nearest.ts";
import { samplesOf } from "./samples.ts";
import { sheet, shownSamples } from "./sheet.ts";
import { chooseSpace } from "./space.ts";

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
    const { seed, inception } = options;
    const distances = await classifierDistances(subject, judged, real, judge, seed);
    const extract = inception && inceptionExtractor(subject, inception);
    const official = inception &&
      await inceptionResults(subject, samples.images, own.logits, inception, seed, progress, extract);
    const confidences = largestOfRows(
      softmaxRows(own.logits, model.architecture.classes),
      model.architecture.classes,
    );
    const shown = shownSamples(subject, own.logits, confidences.values);
    const report = new AnswerBuilder("Generation");
    if (official) addInception(report, official);
    const space = chooseSpace(subject, options, extract, {
      model: judge,
      samples: [images, judged],
      training: [train, real],
    });
    const near = await addNearest(report, subject, options, space, { ...samples, images, shown }, progress);
    const featuresOf = referee?.name ?? itself;
    addClassifierDistances(report, samples, distances, featuresOf);
    if (!official) report.text(noInception);
    const byDensity = shownSamples(subject, own.logits, densities);
    report
      .picture(
        "best_by_class",
        sheet(subject, samples.images, shown),
        "Samples by class, the highest p(y|x) first",
      )
      .picture(
        "best_by_density",
        sheet(subject, samples.images, byDensity),
        "The same, the highest log p̃(x) first",
      );
    const { frechetClassifierDistance: frechet } = distances;
    const { origin } = samples;
    return report.answer(
      { images: count, origin, featuresOf, ...distances, inception: official, ...near.results },
      [
        ...(official ? [["FID", official.fid.toFixed(2)] as const] : []),
        ...near.key,
        ...(referee ? [["Fréchet classifier distance", frechet.toFixed(2)] as const] : []),
      ],
    );
  },
};

/** Statistics need two images of each kind. This is checked before anything is computed. */
function requireEnough(samples: number, real: number): void {
  if (samples < 2) throw new DataError(`${samples} sample has no covariance; judge at least 2 (--fresh)`);
  if (real < 2) throw new DataError(`${real} training image has no covariance; at least 2 are needed`);
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
