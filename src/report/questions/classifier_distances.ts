import { Resampled } from "../../evaluate/bootstrap.ts";
import type { Features } from "../../evaluate/features.ts";
import { frechetDistance, gaussianStatistics } from "../../evaluate/frechet.ts";
import { inceptionScore, kernelDistance, officialParts, type Spread } from "../../evaluate/generation.ts";
import { frechetInterval, scoreInterval } from "../../evaluate/generation_intervals.ts";
import { softmaxRows } from "../../evaluate/probabilities.ts";
import type { Interval } from "../../evaluate/proportion.ts";
import type { WideResNet } from "../../nn/wide_resnet.ts";
import { type AnswerBuilder, itself, type Subject } from "../question.ts";
import type { Samples } from "./samples.ts";

const kernelOptions = { subsets: 20, subsetSize: 500 };

/** Distances between generated and real images in a classifier's features. */
export async function classifierDistances(
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

/** Distances in a classifier's features, under names that tell whose features they are. */
export function addClassifierDistances(
  report: AnswerBuilder,
  { count, origin }: Samples,
  distances: Awaited<ReturnType<typeof classifierDistances>>,
  featuresOf: string,
): void {
  const isOwn = featuresOf === itself;
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

function note(featuresOf: string): string {
  return `Distances to the training images in the pooled features of ${featuresOf}, and the Inception Score's formula with its ` +
    "p(y|x). They are no FID, KID or Inception Score, and comparable only where the features are the same. After ± the " +
    "deviation over subsets. In brackets 95 % intervals: percentiles of bootstrap resamples of the samples, moved to " +
    "have their mean at the figure.";
}

/** The score of a number of images. A single part has no meaningful spread. */
export function scoreText(score: Spread, images: number, interval: Interval | undefined): string {
  return officialParts(images) > 1 ? spread(score) : within(score.mean, interval);
}

function within(value: number, interval: Interval | undefined): string {
  if (!interval) return value.toFixed(3);
  return `${value.toFixed(3)} (${interval.map((bound) => bound.toFixed(3)).join("–")})`;
}

/** A mean with the deviation of its parts. */
export function spread({ mean, deviation }: Spread): string {
  return `${mean.toPrecision(3)} ± ${deviation.toPrecision(2)}`;
}
