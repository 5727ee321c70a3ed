/** A new run that starts from the model in a file. */

import type { Dataset } from "../data/dataset.ts";
import { fitDataset, type ImageDescription, matchClasses, requireImageSize } from "../data/fit.ts";
import { ConfigurationError, DataError } from "../errors.ts";
import { readModel } from "../nn/state_dict.ts";
import { type Checkpoint, replayImages, restoreModel } from "./checkpoint/checkpoint.ts";
import { restoreReplay } from "./checkpoint/parts.ts";
import { replayBuffer } from "./checkpoint/state_search.ts";
import { type Configuration, parseConfiguration } from "./configuration.ts";
import type { Trainer } from "./trainer.ts";

/** What `config.json` says about the model that a run started from. */
export type Origin = NonNullable<Configuration["origin"]>;

/** Options that decide the shapes and names of a network's tensors. */
const shaping = ["depth", "width", "norm"] as const;

/**
 * The configuration of a run that starts from a model. Network, side of a folder's pictures and size of the replay
 * buffer come from the model unless they were given by name.
 * @param given names of the options that were given, other than by a preset
 * @throws {ConfigurationError} if depth, width or norm were given and differ from the model's.
 */
export function configurationFrom(
  origin: Origin,
  { configuration: theirs, images, tensors }: Checkpoint,
  chosen: Configuration,
  given: ReadonlySet<string>,
): Configuration {
  const { depth, width, norm, unconditional } = theirs;
  const entries = tensors.get(replayBuffer)?.shape[0] ?? 0;
  const model = {
    ...{ depth, width, norm, unconditional },
    ...(chosen.dataset === "images" && { imageSize: images.height }),
    ...(chosen.likelihoodWeight > 0 && entries > 0 && { bufferSize: entries }),
  };
  const taken = Object.entries(model).filter(([option]) => !given.has(option));
  const configuration = parseConfiguration({ ...chosen, ...Object.fromEntries(taken), origin });
  for (const option of shaping) {
    if (configuration[option] === theirs[option]) continue;
    throw new ConfigurationError(
      `configuration: ${option} is ${configuration[option]}, where the model in ${origin.path} has ${
        theirs[option]
      }; leave ${option} out`,
    );
  }
  return configuration;
}

/**
 * A data set for training a model: as the model sees it if the classes are the model's, otherwise unchanged.
 * @throws {DataError} if the images have another size or number of channels than the model takes.
 */
export function datasetFor(dataset: Dataset, model: ImageDescription): Dataset {
  try {
    requireImageSize(dataset.name, dataset, model);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw new DataError(`${error.message}; choose other data (--preset NAME or --set dataset=NAME)`);
  }
  return matchClasses(dataset.classNames, model) ? fitDataset(dataset, model) : dataset;
}

/** What a run has taken over from a model. */
export interface Taken {
  /** Whether there were running statistics. */
  readonly statistics: boolean;
  /** Number of replay buffer images that were taken over; or what happens to the buffer, and why. */
  readonly replay: number | string;
  /** Why the class head is new; undefined if it is the model's. */
  readonly newHead: string | undefined;
}

/**
 * Gives a new trainer the parameters and running statistics of a model, and its replay buffer if the trainer has one of
 * that size. The class head stays new if the data's classes are not the model's. Optimiser and iteration stay as they
 * are.
 * @throws {CheckpointError} if the model does not fit the trainer, or holds a value that is not finite.
 */
export async function beginWith(
  trainer: Trainer,
  file: Checkpoint,
  { classNames }: Pick<Dataset, "classNames">,
): Promise<Taken> {
  const { model } = trainer;
  const newHead = reasonForHead(classNames, file.images);
  const isFresh = ([name]: [string, unknown]) => newHead !== undefined && name.startsWith("class_output.");
  const fresh = [...await readModel(model)].filter(isFresh);
  restoreModel(model, { ...file, tensors: new Map([...file.tensors, ...fresh]) });
  trainer.shareStatistics();
  return {
    statistics: model.runningStatistics.entries.length > 0,
    replay: takeReplay(trainer, file),
    newHead,
  };
}

function reasonForHead(classNames: readonly string[], model: ImageDescription): string | undefined {
  if (matchClasses(classNames, model)) return undefined;
  const [found, before] = [classNames.length, model.classNames.length];
  return found === before ? "the classes have other names" : `${found} ≠ ${before} classes`;
}

/** {@link Taken.replay}. */
function takeReplay(trainer: Trainer, file: Checkpoint): number | string {
  const { sampler, shards } = trainer;
  const found = file.tensors.get(replayBuffer)?.shape ?? [0];
  if (!sampler) {
    return found[0] === 0 ? "no replay buffer" : "its replay buffer is left, as likelihoodWeight is 0";
  }
  if (found[0] === 0) return "replay buffer filled anew, as it has none";
  const { height, width, channels } = file.images;
  const entries = shards.count * shards.entries;
  if (found[0] !== entries) {
    return `replay buffer filled anew, as its own has ${found[0]} images and bufferSize is ${entries}`;
  }
  if (`${found.slice(1)}` !== `${[channels, height, width]}`) {
    return `replay buffer filled anew, as its own has images of shape [${found.slice(1)}]`;
  }
  restoreReplay(trainer, (shape) => replayImages(file, shape));
  return entries;
}
