/** Models that carry the Gaussians at which their chains start, so that drawing images takes no training images. */

import { CheckpointError } from "../errors.ts";
import { imagesFromPyTorch, imagesToPyTorch } from "../formats/pytorch/layout.ts";
import { GaussianInitialisation } from "../jem/gaussian_initialisation.ts";
import { checked } from "../nn/state_dict.ts";
import type { Context } from "../tensor/context.ts";
import type { Checkpoint } from "./checkpoint/checkpoint.ts";
import { startFactors, startMeans } from "./checkpoint/model_state.ts";
import type { ClassGaussians } from "./class_gaussians.ts";

/** The checkpoint with Gaussians, as the tensors `start_means` `[classes, C, H, W]` and `start_factors`. */
export function withStarts(checkpoint: Checkpoint, { means, factors, rank }: ClassGaussians): Checkpoint {
  const { height, width, channels, classNames: { length: classes } } = checkpoint.images;
  const tensors = new Map(checkpoint.tensors);
  const image = [height, width, channels];
  tensors.set(startMeans, imagesToPyTorch({ shape: [classes, ...image], data: means }));
  const columns = imagesToPyTorch({ shape: [classes * rank, ...image], data: factors });
  tensors.set(startFactors, { ...columns, shape: [classes, rank, channels, height, width] });
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
  const factors = imagesFromPyTorch({ shape: [classes * rank, ...image], data });
  return new GaussianInitialisation(
    context.from(means.data, means.shape).disown(),
    context.from(factors.data, [classes, rank, height, width, channels]).disown(),
  );
}
