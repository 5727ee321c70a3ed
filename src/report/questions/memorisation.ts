import { Draw, stratifiedDraw } from "../../data/draw.ts";
import type { Interval } from "../../evaluate/proportion.ts";
import { Resampled } from "../../evaluate/bootstrap.ts";
import { copying, median } from "../../evaluate/copying.ts";
import { nearestRows } from "../../evaluate/neighbours.ts";
import { percentWithin } from "../../evaluate/percent.ts";
import { type AnswerBuilder, bootstrapNote, type Subject } from "../question.ts";
import { distanceText, type Pair, pairsFigure } from "../pairs.ts";
import { type ComparedSets, rows } from "./fidelity.ts";
import type { Space } from "./space.ts";

/**
 * Most samples, and most held-out images, whose nearest training image is sought. Each is compared with all of them.
 */
const mostImages = 1000;

/** Whether samples are copies of training images. */
export interface MemorisationResults {
  readonly space: string;
  /** Number of samples. */
  readonly images: number;
  /** Number of test images that they are compared with. */
  readonly heldOutImages: number;
  readonly trainingImages: number;
  /** How likely a sample is closer to a training image than a test image is: 0.5 without copying, 1 for copies. */
  readonly nearer: number;
  readonly interval: Interval;
  /** Distances to the nearest training image. */
  readonly medianOfSamples: number;
  readonly medianOfHeldOut: number;
}

/** Finds the nearest training image of samples and of test images. */
export async function memorisationResults(
  { train, test, communicator }: Subject,
  space: Space,
  { samples }: ComparedSets,
  seed: number,
): Promise<MemorisationResults> {
  const { features: training, dimension } = await space.coordinates(train);
  const images = Math.min(mostImages, samples.count);
  const heldOutImages = Math.min(mostImages, test.count);
  const first = Uint32Array.from({ length: images }, (_, i) => i);
  const made = await rows(space, samples, first);
  const heldOut = await rows(space, test, stratifiedDraw(test.labels, heldOutImages, Draw.heldOut));
  const { distances } = await nearestRows(made.features, training, dimension, communicator);
  const { distances: others } = await nearestRows(heldOut.features, training, dimension, communicator);
  const { value, interval } = copying(distances, others, { seed, stream: Resampled.nearest });
  return {
    space: space.name,
    images,
    heldOutImages,
    trainingImages: train.count,
    nearer: value,
    interval,
    medianOfSamples: median(distances),
    medianOfHeldOut: median(others),
  };
}

/** Adds the figures, and their meaning. */
export function addMemorisation(report: AnswerBuilder, results: MemorisationResults): void {
  const { images, heldOutImages, trainingImages, nearer, interval, medianOfSamples, medianOfHeldOut, space } =
    results;
  report.table(
    ["nearest training image", ""],
    [
      ["a sample is nearer than a test image", percentWithin(nearer, interval)],
      ["median distance of samples", distanceText(medianOfSamples)],
      ["median distance of test images", distanceText(medianOfHeldOut)],
    ],
    `${images} samples and ${heldOutImages} test images, each by its distance to the nearest of ${trainingImages} training images, in ` +
      `${space}. The first figure is the chance that of a sample and a test image the sample is the nearer one (Δ_T of Meehan et ` +
      "al., AISTATS 2020, over the whole space): 50 % for new images like the real ones, towards 100 % for copies; less says " +
      `only that samples are far from all real images. ${bootstrapNote}`,
  );
}

/**
 * Adds samples beside their nearest training images.
 * @param shown samples by rows
 */
export async function addNeighbours(
  report: AnswerBuilder,
  { train, dataset: { height, width, channels }, communicator }: Subject,
  space: Space,
  { samples }: ComparedSets,
  shown: readonly (readonly number[])[],
  heldOut: number,
): Promise<void> {
  const chosen = Uint32Array.from(shown.flat());
  if (chosen.length === 0) return;
  const { features, dimension } = await rows(space, samples, chosen);
  const { features: training } = await space.coordinates(train);
  const { indices, distances } = await nearestRows(features, training, dimension, communicator);
  using neighbours = train.at(Uint32Array.from(indices));
  const rightValues = await neighbours.read();
  const size = height * width * channels;
  let next = 0;
  const pairs: Pair[][] = [];
  for (const row of shown) {
    const cells: Pair[] = [];
    for (const index of row) {
      using sample = samples.range(index, 1);
      const right = rightValues.subarray(next * size, (next + 1) * size);
      cells.push({ left: await sample.read(), right, distance: distances[next]! });
      next++;
    }
    pairs.push(cells);
  }
  await report.drawing(
    "nearest_training_images",
    pairsFigure(pairs.filter(({ length }) => length > 0), { height, width, channels }),
    `Samples by class, the highest p(y|x) first: left the sample, right its nearest training image, below their distance in ` +
      `${space.name}. The median distance of a test image to its nearest training image is ${
        distanceText(heldOut)
      }`,
  );
}
