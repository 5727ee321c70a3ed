/** Models that carry the Gaussians at which their chains start, so that drawing images takes no training images. */

import { CheckpointError } from "../errors.ts";
import { imagesFromPyTorch, imagesToPyTorch } from "../formats/pytorch/layout.ts";
import { GaussianInitialisation } from "../jem/gaussian_initialisation.ts";
import { checked } from "../nn/state_dict.ts";
import type { Context } from "../tensor/context.ts";
import type { Checkpoint } from "./checkpoint/checkpoint.ts";
import { startDeviations, startFactors, startMeans } from "./checkpoint/model_state.ts";
import type { ClassGaussians } from "./class_gaussians.ts";
import { CosineTransform } from "./cosine_transform.ts";

/** Most elements of the factors on the GPU: 64 MiB, half of what every WebGPU device binds. */
const mostElements = 2 ** 24;

/**
 * The checkpoint with Gaussians, as the tensors `start_means` `[classes, C, H, W]` and `start_factors`, and
 * `start_deviations` if there are any.
 */
export function withStarts(
  checkpoint: Checkpoint,
  { means, factors, rank, deviations }: ClassGaussians,
): Checkpoint {
  const { height, width, channels, classNames: { length: classes } } = checkpoint.images;
  const tensors = new Map(checkpoint.tensors);
  const image = [height, width, channels];
  tensors.set(startMeans, imagesToPyTorch({ shape: [classes, ...image], data: means }));
  const columns = imagesToPyTorch({ shape: [classes * rank, ...image], data: factors });
  tensors.set(startFactors, { ...columns, shape: [classes, rank, channels, height, width] });
  if (deviations) {
    tensors.set(startDeviations, imagesToPyTorch({ shape: [classes, ...image], data: deviations }));
  }
  return { ...checkpoint, tensors };
}

/** Whether a model carries the Gaussians at which its chains start. */
export function carriesStarts({ tensors }: Checkpoint): boolean {
  return tensors.has(startMeans);
}

/**
 * The Gaussians that a model carries.
 * @throws {CheckpointError} if there are none, or they are not of the model's classes and images.
 */
export function carriedStart(context: Context, { tensors, images }: Checkpoint): GaussianInitialisation {
  const { height, width, channels, classNames: { length: classes } } = images;
  const rank = tensors.get(startFactors)?.shape[1] ?? 0;
  if (rank === 0) throw new CheckpointError(`it holds no ${startFactors}`);
  const image = [channels, height, width];
  const means = imagesFromPyTorch(checked(tensors, startMeans, [classes, ...image]));
  const { data } = checked(tensors, startFactors, [classes, rank, ...image]);
  let columns = imagesFromPyTorch({ shape: [classes * rank, ...image], data }).data;
  if (tensors.has(startDeviations)) {
    const deviations = imagesFromPyTorch(checked(tensors, startDeviations, [classes, ...image])).data;
    columns = withWaves(columns, deviations, classes, new CosineTransform([height, width, channels]));
  }
  const size = height * width * channels;
  return new GaussianInitialisation(
    context.from(means.data, means.shape).disown(),
    context.from(columns, [classes, columns.length / classes / size, height, width, channels]).disown(),
  );
}

/**
 * The columns of each class, `[classes, rank, H, W, C]`, followed by the waves of its largest deviations. Together they
 * are a multiple of four, as random streams are drawn, and as many as fit; the waves that are left out are the faintest.
 */
function withWaves(
  columns: Float32Array,
  deviations: Float32Array,
  classes: number,
  transform: CosineTransform,
): Float32Array<ArrayBuffer> {
  const size = deviations.length / classes;
  const rank = columns.length / deviations.length;
  const most = Math.min(rank + size, Math.floor(mostElements / deviations.length));
  const count = Math.max(most - most % 4, rank);
  const all = new Float32Array(classes * count * size);
  for (let label = 0; label < classes; label++) {
    all.set(columns.subarray(label * rank * size, (label + 1) * rank * size), label * count * size);
    const own = deviations.subarray(label * size, (label + 1) * size);
    const largest = [...own.keys()].sort((a, b) => own[b]! - own[a]!).slice(0, count - rank);
    largest.forEach((index, k) =>
      transform.writeWave(index, own[index]!, all, (label * count + rank + k) * size)
    );
  }
  return all;
}
