import { Draw, stratifiedDraw } from "../../data/draw.ts";
import type { ImageSource } from "../../evaluate/features.ts";
import { type Fidelity, fidelity, neighbours, realBalls } from "../../evaluate/fidelity.ts";
import { percentWithin } from "../../evaluate/percent.ts";
import { type Estimate, Resampled, resamples } from "../../evaluate/bootstrap.ts";
import {
  type AnswerBuilder,
  bootstrapNote,
  type KeyFigure,
  type Progress,
  type Subject,
} from "../question.ts";
import type { Coordinates, Space } from "./space.ts";

/**
 * Most images of a set that are compared. All distances between two such sets of Inception's features take two and a
 * half minutes.
 */
const mostImages = 10_000;

/** Precision, recall, density and coverage of samples, and of training images in their place. */
export interface FidelityResults {
  /** The space of the comparison. */
  readonly space: string;
  readonly dimension: number;
  /** The k of the nearest neighbours. */
  readonly neighbours: number;
  /** Number of images in each set that is compared with the real ones. */
  readonly images: number;
  /** Number of test images that they are compared with. */
  readonly realImages: number;
  readonly resamples: number;
  readonly samples: Fidelity;
  /** Entries of the replay buffer, if the samples are not from there. */
  readonly buffer?: Fidelity;
  /** The same number of training images: the best that can be expected. */
  readonly training: Fidelity;
}

/** Sets whose neighbours are compared, by their use. */
export interface ComparedSets {
  readonly samples: ImageSource;
  readonly buffer?: ImageSource | undefined;
}

/**
 * Compares samples with the test images, and the same number of training images in their place. Training images do not
 * serve as the real images here, because a model that copied them would be perfect.
 * @returns the reason if there are too few images
 */
export async function fidelityResults(
  { train, test, communicator }: Subject,
  space: Space,
  sets: ComparedSets,
  seed: number,
  progress: Progress,
): Promise<FidelityResults | string> {
  const counts = [sets.samples.count, train.count, sets.buffer?.count ?? Infinity];
  const images = Math.min(mostImages, ...counts);
  const realImages = Math.min(mostImages, test.count);
  if (Math.min(images, realImages) <= neighbours) {
    return `Precision, recall, density and coverage take more than ${neighbours} images of each kind; there are ` +
      `${images} to compare with ${realImages} test images.`;
  }
  const drawn = stratifiedDraw(test.labels, realImages, Draw.heldOut);
  const { features, dimension } = await rows(space, test, drawn);
  const real = await realBalls(features, dimension, neighbours, communicator);
  const parts = sets.buffer ? 4 : 3;
  let done = 0;
  progress(++done / parts);
  const compare = async (images: ImageSource, chosen: Uint32Array, stream: number) => {
    const { features } = await rows(space, images, chosen);
    const found = await fidelity(real, features, { seed, stream }, communicator);
    progress(++done / parts);
    return found;
  };
  const first = Uint32Array.from({ length: images }, (_, i) => i);
  return {
    space: space.name,
    dimension,
    neighbours,
    images,
    realImages,
    resamples,
    samples: await compare(sets.samples, first, Resampled.samples),
    ...(sets.buffer && { buffer: await compare(sets.buffer, first, Resampled.buffer) }),
    training: await compare(train, stratifiedDraw(train.labels, images, Draw.baseline), Resampled.baseline),
  };
}

/** Coordinates of some images, in their order. */
export async function rows(space: Space, images: ImageSource, chosen: Uint32Array): Promise<Coordinates> {
  const { features, dimension } = await space.coordinates(images);
  const some = new Float32Array(chosen.length * dimension);
  chosen.forEach((row, i) =>
    some.set(features.subarray(row * dimension, (row + 1) * dimension), i * dimension)
  );
  return { features: some, dimension };
}

/** Adds the figures as a table: a column for each set. */
export function addFidelity(report: AnswerBuilder, results: FidelityResults, origin: string): void {
  const { space, neighbours, images, realImages, samples, buffer, training } = results;
  const columns = [samples, ...(buffer ? [buffer] : []), training];
  const row = (name: keyof Fidelity, show: (estimate: Estimate) => string) => [
    name,
    ...columns.map((column) => show(column[name])),
  ];
  const proportion = ({ value, interval }: Estimate) => percentWithin(value, interval);
  report.table(
    ["", origin, ...(buffer ? ["entries of the replay buffer"] : []), "training images"],
    [
      row("precision", proportion),
      row("recall", proportion),
      row("density", densityText),
      row("coverage", proportion),
    ],
    `${images} images of each kind against ${realImages} test images, by the ${neighbours} nearest neighbours, in ` +
      `${space}. Training images in place of samples show what can be expected at best. ${bootstrapNote}`,
  );
}

/** The figures for the report's head. */
export function keyFidelity({ samples, training, space }: FidelityResults): KeyFigure[] {
  const figure = (name: "precision" | "recall" | "coverage"): KeyFigure => [
    name,
    percentWithin(samples[name].value, samples[name].interval),
    `training images: ${percentWithin(training[name].value, training[name].interval)}; in ${space}`,
  ];
  return [
    figure("precision"),
    figure("recall"),
    [
      "density",
      densityText(samples.density),
      `training images: ${densityText(training.density)}; in ${space}`,
    ],
    figure("coverage"),
  ];
}

function densityText({ value, interval: [low, high] }: Estimate): string {
  return `${value.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`;
}
