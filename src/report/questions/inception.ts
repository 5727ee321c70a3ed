import { DataError } from "../../errors.ts";
import { FloatImages, type ImageSource } from "../../evaluate/features.ts";
import { frechetDistance, gaussianStatistics } from "../../evaluate/frechet.ts";
import {
  bestOfClasses,
  inceptionScore,
  kernelDistance,
  officialParts,
  type Spread,
} from "../../evaluate/generation.ts";
import {
  type InceptionFeatures,
  inceptionFeatures,
  type PixelScale,
} from "../../evaluate/inception_features.ts";
import { Resampled } from "../../evaluate/bootstrap.ts";
import { scoreInterval } from "../../evaluate/generation_intervals.ts";
import type { Interval } from "../../evaluate/proportion.ts";
import { largestOfRows, softmaxRows } from "../../evaluate/probabilities.ts";
import { permutation, Purpose, RandomStream } from "../../random/philox.ts";
import type { FidConvention, InceptionOptions, Progress, Subject } from "../question.ts";

/** The official evaluation's shares of each class, the surest first: for the Inception Score and for FID. */
const shares = { inceptionScore: 0.1, fid: 0.9 } as const;
const kernelOptions = { subsets: 50, subsetSize: 1000 };

/** FID, KID and Inception Score of samples. */
export interface InceptionResults {
  readonly fid: number;
  readonly fidImages: number;
  /** Number of real images that they are compared with, or the file with their statistics. */
  readonly reference: number | string;
  /** Missing if the statistics came from a file, because KID needs each real image's features. */
  readonly kid?: Spread;
  /** Missing if there are too few samples for the share that it takes. */
  readonly inceptionScore?: Spread;
  /** Missing if the score has several parts, which have a spread. */
  readonly inceptionScoreInterval?: Interval;
  readonly inceptionScoreImages: number;
  readonly convention: FidConvention;
  /** The convention in words. */
  readonly description: string;
}

/** Features of a set of images, `[N, dimension]`. */
export type RealFeatures = Pick<InceptionFeatures, "pool3" | "dimension">;

/** Computes features of sets of images. Those of a set are computed once and kept. */
export type InceptionExtractor = (
  images: ImageSource,
  scale: PixelScale,
  progress?: (done: number) => void,
) => Promise<RealFeatures>;

/** An extractor without features yet. */
export function inceptionExtractor(
  { model: { context }, communicator }: Subject,
  { network }: InceptionOptions,
): InceptionExtractor {
  const known = new Map<ImageSource, RealFeatures & { readonly scale: PixelScale }>();
  return async (images, scale, progress) => {
    const before = known.get(images);
    if (before?.scale === scale) return before;
    const options = { communicator, progress };
    const { pool3, dimension } = await inceptionFeatures(context, network, images, scale, options);
    const found = { pool3, dimension, scale };
    known.set(images, found);
    return found;
  };
}

/**
 * FID, KID and Inception Score of samples `[N, H, W, C]`, chosen by the model's own p(y|x) as the official evaluation does.
 * @param logits the model's own, `[N, classes]`
 * @param extract computes the real images' features
 */
export async function inceptionResults(
  subject: Subject,
  samples: Float32Array,
  logits: Float32Array,
  options: InceptionOptions,
  seed: number,
  progress: Progress,
  extract: InceptionExtractor = inceptionExtractor(subject, options),
): Promise<InceptionResults> {
  const { train, test, communicator } = subject;
  const { network, statistics, keep, convention } = options;
  const { images: chosen, surest } = chosenSamples(subject, samples, logits);
  const references = convention === "official" ? [train, test] : [train];
  const realImages = references.reduce((sum, { count }) => sum + count, 0);
  const total = chosen.count + (statistics ? 0 : realImages);
  const scale = convention === "official" ? "unrounded" : "8-bit";
  const tell = (before: number) => (done: number) => progress((before + done) / total);
  const { context } = subject.model;
  const generated = await inceptionFeatures(context, network, chosen, scale, {
    communicator,
    progress: tell(0),
  });
  const real = statistics
    ? undefined
    : await realFeatures(references, (images, before) =>
      extract(images, "8-bit", tell(chosen.count + before)));
  const statisticsOf = ({ pool3, dimension }: RealFeatures) =>
    gaussianStatistics(pool3, dimension, communicator);
  const reference = real ? await statisticsOf(real) : statistics!.values;
  if (real) await keep(reference);
  const own = await statisticsOf(generated);
  const kernel = { ...kernelOptions, seed };
  return {
    fid: frechetDistance(reference, own),
    fidImages: chosen.count,
    reference: statistics?.file ?? realImages,
    ...(real && {
      kid: await kernelDistance(generated.pool3, real.pool3, real.dimension, kernel, communicator),
    }),
    ...(surest.length > 0 && scoreOf(generated, surest, seed)),
    inceptionScoreImages: surest.length,
    convention,
    description:
      `${100 * shares.fid} % of each assigned class, the surest first, against ${
        statistics
          ? `the statistics in ${statistics.file}`
          : `the ${realImages} ${inWords[convention].reference}`
      }; ${inWords[convention].images}. Inception Score of the surest ${
        100 * shares.inceptionScore
      } %, without the last ` +
      "layer's bias.",
  };
}

/**
 * Whether FID has enough samples, which depends on their classes.
 * @param logits the model's own, `[N, classes]`
 * @throws {DataError} if not.
 */
export function requireChosen(logits: Float32Array, classes: number): void {
  const counts = bestOfClasses(logits, new Float32Array(logits.length / classes), classes, shares.fid)
    .map(({ length }) => length);
  const chosen = counts.reduce((sum, count) => sum + count, 0);
  if (chosen >= 2) return;
  throw new DataError(
    `${logits.length / classes} samples are too few for FID: ${
      100 * shares.fid
    } % of each class leave ${chosen}; ` +
      "judge more (--generated-images, --fresh)",
  );
}

const inWords: Record<FidConvention, { readonly reference: string; readonly images: string }> = {
  current: {
    reference: "training images",
    images: "8-bit samples; bilinear resizing by PyTorch's grid without antialiasing, as pytorch-fid",
  },
  official: {
    reference: "training and test images",
    images: "samples not rounded to 8 bits; bilinear resizing by TensorFlow 1's grid, as the official script",
  },
};

/** The samples that FID judges, class by class, and those among them for the Inception Score. */
function chosenSamples(
  { model: { context }, dataset, checkpoint }: Subject,
  samples: Float32Array,
  logits: Float32Array,
) {
  const { height, width, channels } = dataset;
  const classes = checkpoint.images.classNames.length;
  const pixels = height * width * channels;
  const { values: confidences } = largestOfRows(softmaxRows(logits, classes), classes);
  const indices = bestOfClasses(logits, confidences, classes, shares.fid).flat();
  const best = new Set(bestOfClasses(logits, confidences, classes, shares.inceptionScore).flat());
  const images = new Float32Array(indices.length * pixels);
  indices.forEach((index, i) =>
    images.set(samples.subarray(index * pixels, (index + 1) * pixels), i * pixels)
  );
  return {
    images: new FloatImages(context, images, [height, width, channels]),
    surest: [...indices.keys()].filter((i) => best.has(indices[i]!)),
  };
}

/**
 * Features of several sets of images as one.
 * @param featuresOf returns features of a set, given the number of images in the sets before it
 */
async function realFeatures(
  sources: readonly ImageSource[],
  featuresOf: (images: ImageSource, before: number) => Promise<RealFeatures>,
): Promise<RealFeatures> {
  const parts: RealFeatures[] = [];
  let before = 0;
  for (const source of sources) {
    parts.push(await featuresOf(source, before));
    before += source.count;
  }
  if (parts.length === 1) return parts[0]!;
  const { dimension } = parts[0]!;
  const pool3 = new Float32Array(before * dimension);
  let offset = 0;
  for (const part of parts) {
    pool3.set(part.pool3, offset);
    offset += part.pool3.length;
  }
  return { pool3, dimension };
}

/** The score of some images in parts with equal distributions. The images come class by class, so they are shuffled. */
function scoreOf(
  { probabilities, classes }: InceptionFeatures,
  rows: readonly number[],
  seed: number,
): Pick<InceptionResults, "inceptionScore" | "inceptionScoreInterval"> {
  const order = permutation(new RandomStream(seed, Purpose.subset, 0), rows.length);
  const shuffled = new Float64Array(rows.length * classes);
  order.forEach((place, i) => {
    const row = rows[place]!;
    shuffled.set(probabilities.subarray(row * classes, (row + 1) * classes), i * classes);
  });
  const parts = officialParts(rows.length);
  const options = { seed, stream: Resampled.inceptionScore };
  return {
    inceptionScore: inceptionScore(shuffled, classes, parts),
    ...(parts === 1 && { inceptionScoreInterval: scoreInterval(shuffled, classes, options) }),
  };
}
