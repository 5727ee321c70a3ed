import { FloatImages } from "../../evaluate/features.ts";
import { frechetDistance, type GaussianStatistics, gaussianStatistics } from "../../evaluate/frechet.ts";
import { bestOfClasses, inceptionScore, kernelDistance } from "../../evaluate/generation.ts";
import { inceptionFeatures } from "../../evaluate/inception_features.ts";
import { largestOfRows, softmaxRows } from "../../evaluate/probabilities.ts";
import type { InceptionOptions, Progress, Subject } from "../question.ts";

/** The official evaluation's shares of each class, the surest first: for the Inception Score and for FID. */
const shares = { inceptionScore: 0.1, fid: 0.9 } as const;
const splits = 10;
const kernelOptions = { subsets: 50, subsetSize: 1000 };

/** FID, KID and Inception Score of samples. */
export interface InceptionResults {
  readonly fid: number;
  readonly fidImages: number;
  /** Missing if the training images' features were not computed anew. */
  readonly kid?: { readonly mean: number; readonly deviation: number };
  /** Missing if there are too few images for its parts. */
  readonly inceptionScore?: { readonly mean: number; readonly deviation: number };
  readonly inceptionScoreImages: number;
  readonly convention: string;
}

/**
 * FID, KID and Inception Score of samples `[N, H, W, C]`, chosen by the model's own p(y|x) as the official evaluation does.
 * @param logits the model's own, `[N, classes]`
 */
export async function inceptionResults(
  { model: { context }, train, dataset, checkpoint }: Subject,
  samples: Float32Array,
  logits: Float32Array,
  { network, statistics, keep }: InceptionOptions,
  seed: number,
  progress: Progress,
): Promise<InceptionResults> {
  const { height, width, channels } = dataset;
  const classes = checkpoint.images.classNames.length;
  const pixels = height * width * channels;
  const { values: confidences } = largestOfRows(softmaxRows(logits, classes), classes);
  const chosen = bestOfClasses(logits, confidences, classes, shares.fid).flat();
  const best = new Set(bestOfClasses(logits, confidences, classes, shares.inceptionScore).flat());
  const images = new Float32Array(chosen.length * pixels);
  chosen.forEach((index, i) =>
    images.set(samples.subarray(index * pixels, (index + 1) * pixels), i * pixels)
  );
  const source = new FloatImages(context, images, [height, width, channels]);
  const total = chosen.length + (statistics ? 0 : train.count);
  const generated = await inceptionFeatures(
    context,
    network,
    source,
    chosen.length,
    (done) => progress(done / total),
  );
  const real = statistics ? undefined : await inceptionFeatures(
    context,
    network,
    train,
    train.count,
    (done) => progress((chosen.length + done) / total),
  );
  let reference: GaussianStatistics | undefined = statistics;
  if (real) {
    reference = gaussianStatistics(real.pool3, real.dimension);
    await keep(reference);
  }
  const surest = [...chosen.keys()].filter((i) => best.has(chosen[i]!));
  const rows = surest.flatMap((i) => [
    ...generated.probabilities.subarray(i * generated.classes, (i + 1) * generated.classes),
  ]);
  const own = gaussianStatistics(generated.pool3, generated.dimension);
  return {
    fid: frechetDistance(reference!, own),
    fidImages: chosen.length,
    ...(real &&
      { kid: kernelDistance(generated.pool3, real.pool3, real.dimension, { ...kernelOptions, seed }) }),
    ...(surest.length >= splits && { inceptionScore: inceptionScore(rows, generated.classes, splits) }),
    inceptionScoreImages: surest.length,
    convention:
      `${shares.fid} of each assigned class against the ${train.count} training images, 8-bit samples, bilinear ` +
      "resizing without antialiasing as pytorch-fid; Inception Score of the surest " + shares.inceptionScore,
  };
}
