/** Where the chains that draw images from a trained model start. */

import type { Dataset } from "../data/dataset.ts";
import { DeviceImages } from "../data/device_images.ts";
import { requireTrainingImages } from "../data/subsets.ts";
import {
  InformativeInitialisation,
  type Initialisation,
  UniformInitialisation,
} from "../jem/initialisation.ts";
import { permutation, Purpose, RandomStream, streamWords } from "../random/philox.ts";
import type { Context } from "../tensor/context.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { carriedStart, carriesStarts } from "./carried_starts.ts";
import { type Checkpoint, replayImages } from "./checkpoint/checkpoint.ts";

/** Gaussians fitted to the classes of the training images, the model's replay buffer, or uniform noise. */
export const chainStarts = ["informative", "buffer", "noise"] as const;

/** One of {@link chainStarts}. */
export type ChainStart = typeof chainStarts[number];

/** The class of each start: the requested one, or all classes in turn. */
export function startingClasses(count: number, classes: number, label: number | undefined): Uint32Array {
  return Uint32Array.from({ length: count }, (_, i) => label ?? Math.floor(i * classes / count));
}

/** Length of chains that draw from a model: what it says, or else K of its training. */
export function samplingSteps({ samplingSteps: said, configuration }: Checkpoint): number {
  return said ?? configuration.steps;
}

/**
 * The Gaussians of a model's classes: those that it carries, or else fitted to its training images.
 * @param images provides the training images; called only if it carries none
 */
export function informativeStart(
  context: Context,
  checkpoint: Checkpoint,
  images: () => DeviceImages,
): Initialisation {
  if (carriesStarts(checkpoint)) return carriedStart(context, checkpoint);
  const fitted = images();
  return new InformativeInitialisation(
    context,
    fitted,
    fitted.labels,
    checkpoint.images.classNames.length,
  );
}

/**
 * The training images of a data set on the GPU, for {@link informativeStart}.
 * @throws {DataError} if a class has no images.
 */
export function fittedImages(context: Context, dataset: Dataset): DeviceImages {
  requireTrainingImages(dataset);
  return new DeviceImages(context, dataset, dataset.train);
}

/**
 * Images that chains start from, `[N, H, W, C]`.
 * @param classes class of each image; only informative starts depend on it
 * @param informative provides informative starts; called only for these
 * @param first number of images of the same run that come before these, a multiple of 4; the images are the same as if
 *   all were made at once
 * @param stream number of the random stream; another one gives other images
 * @throws {CheckpointError} if the replay buffer is requested and there is none.
 */
export async function startImages(
  context: Context,
  checkpoint: Checkpoint,
  start: ChainStart,
  classes: Uint32Array,
  seed: number,
  informative: () => Promise<Initialisation>,
  first = 0,
  stream = 0,
): Promise<Tensor> {
  if (start === "buffer") return bufferImages(context, checkpoint, first, classes.length, seed, stream);
  const { height, width, channels } = checkpoint.images;
  const initialisation = start === "informative"
    ? await informative()
    : new UniformInitialisation([height, width, channels]);
  return context.scope(() =>
    initialisation.fresh(
      context.from(streamWords(seed, 0, stream), [4]),
      context.from(classes, [classes.length]),
      first,
    )
  );
}

/** Entries of the replay buffer, drawn without replacement while there are enough. */
function bufferImages(
  context: Context,
  checkpoint: Checkpoint,
  first: number,
  count: number,
  seed: number,
  stream: number,
): Tensor {
  const { data, shape: [capacity = 0, ...shape] } = replayImages(checkpoint);
  const pixels = data.length / capacity;
  const order = permutation(new RandomStream(seed, Purpose.sampling, stream), capacity);
  const images = new Float32Array(count * pixels);
  for (let i = 0; i < count; i++) {
    const entry = order[(first + i) % capacity]!;
    images.set(data.subarray(entry * pixels, (entry + 1) * pixels), i * pixels);
  }
  return context.from(images, [count, ...shape]);
}
