import { CheckpointError, FormatError } from "../../errors.ts";
import { type ByteSource, sourceOf } from "../../formats/byte_source.ts";
import { type HostTensor, imagesFromPyTorch, imagesToPyTorch } from "../../formats/pytorch/layout.ts";
import { isDType, openSafetensors, serializeSafetensors } from "../../formats/safetensors.ts";
import { checked, joinVector, readModel, splitVector, writeModel } from "../../nn/state_dict.ts";
import type { ImageDescription } from "../../data/fit.ts";
import type { WideResNet } from "../../nn/wide_resnet.ts";
import { gatherParts, restoreReplay, restoreShardStatistics, shardStatisticsName } from "./parts.ts";
import type { ReplayBuffer } from "../../jem/replay_buffer.ts";
import type { Context } from "../../tensor/context.ts";
import { buildModel } from "../build.ts";
import { checksumKey, noChecksum, writeChecksum } from "./checksum.ts";
import type { Configuration } from "../configuration.ts";
import { acceptedHeader, carriesChecksum, format, type Header } from "./header.ts";
import { type ModelState, modelState, officialTensors, startTensors } from "./model_state.ts";
import { readRecord, recordMetadata, recordTensors, type RunRecord } from "./run_record.ts";
import { replayBuffer } from "./state_search.ts";
import type { Trainer } from "../trainer.ts";

/** A checkpoint file in memory. */
export interface Checkpoint extends ModelState, Header {
  /** What else the run keeps. */
  readonly record?: RunRecord | undefined;
  /** Whether the file carried a checksum, which matched; false for files of earlier versions and other programs. */
  readonly verified?: boolean | undefined;
}

/**
 * The trainer's whole state as a safetensors file: the model's official state dict, `replay_buffer` `[n, C, H, W]`, and
 * the optimiser's vectors as `momentum.<parameter>`, `exp_avg.<parameter>`, `exp_avg_sq.<parameter>`. With several
 * shards, the replay buffer's parts come in the order of the shards, the model's running statistics are the means of
 * the shards' statistics, and `shard_statistics` `[S, n]` holds each shard's own. The same state gives the same bytes.
 * In a job of several processes only rank 0 encodes, while the others call {@link gatherParts}.
 * @param record what else the run keeps
 * @throws {CheckpointError} if the state holds a value that is not finite.
 */
export async function encodeCheckpoint(
  trainer: Trainer,
  configuration: Configuration,
  images: ImageDescription,
  record: RunRecord = {},
): Promise<Uint8Array<ArrayBuffer>> {
  return await serializeCheckpoint({ ...await checkpointOf(trainer, configuration, images), record });
}

/**
 * A model alone, with the replay buffer to sample from: the result of a training run. It is encoded like a checkpoint.
 * @throws {CheckpointError} if the state holds a value that is not finite.
 */
export async function encodeModel(
  trainer: Trainer,
  configuration: Configuration,
  images: ImageDescription,
): Promise<Uint8Array<ArrayBuffer>> {
  return await serializeCheckpoint(modelOnly(await checkpointOf(trainer, configuration, images)));
}

/**
 * A model that no {@link Trainer} trained, as a safetensors file of the official state dict and the replay buffer,
 * which `readModelFile` opens. It names neither data set nor classes.
 */
export async function serializeModel(
  model: WideResNet,
  buffer?: ReplayBuffer,
): Promise<Uint8Array<ArrayBuffer>> {
  const { normsInitialised, runningStatistics: { batchesTracked } } = model;
  const tensors = await readModel(model);
  if (buffer) {
    const { images } = buffer;
    tensors.set(replayBuffer, imagesToPyTorch({ shape: images.shape, data: await images.read() }));
  }
  return serializeSafetensors(officialTensors({ tensors, batchesTracked, normsInitialised }), {});
}

async function checkpointOf(
  trainer: Trainer,
  configuration: Configuration,
  images: ImageDescription,
): Promise<Checkpoint> {
  const { model, optimizer, iteration, recovery } = trainer;
  const parts = await gatherParts(trainer);
  if (!parts) throw new Error("only rank 0 writes checkpoints; the others gather their parts");
  const tensors = await readModel(model);
  for (const [kind, vector] of Object.entries(optimizer.state)) {
    for (const [name, tensor] of splitVector(model.parameters, await vector.read())) {
      tensors.set(`${kind}.${name}`, tensor);
    }
  }
  if (parts.replay) tensors.set(replayBuffer, imagesToPyTorch(parts.replay));
  if (parts.statistics) tensors.set(shardStatisticsName, parts.statistics);
  const { normsInitialised, runningStatistics: { batchesTracked } } = model;
  const state = { batchesTracked, normsInitialised, recovery };
  const checkpoint = { tensors, configuration, iteration, images, ...state };
  requireFinite(checkpoint);
  return checkpoint;
}

/**
 * Checks that a checkpoint holds only finite numbers, also in vectors and replay buffer.
 * @throws {CheckpointError} naming the tensor and the first element that is NaN or infinite.
 */
export function requireFinite({ tensors }: Pick<Checkpoint, "tensors">): void {
  for (const [name, { shape }] of tensors) checked(tensors, name, shape);
}

/**
 * Checks that training can continue from a checkpoint, which must be more than a model.
 * @throws {CheckpointError} naming what is missing.
 */
export function requireTrainingState({ tensors, configuration }: Checkpoint): void {
  const vectors = { sgd: ["momentum"], adam: ["exp_avg", "exp_avg_sq"] }[configuration.optimizer];
  const names = [...tensors.keys()];
  const missing = vectors.find((kind) => !names.some((name) => name.startsWith(`${kind}.`)));
  if (missing) {
    throw new CheckpointError(`it holds no ${missing}: it is a model, not a checkpoint of training`);
  }
  if (configuration.likelihoodWeight > 0 && !tensors.has(replayBuffer)) {
    throw new CheckpointError("it holds no replay buffer");
  }
  if (configuration.shards > 1 && configuration.norm === "batch" && !tensors.has(shardStatisticsName)) {
    throw new CheckpointError("it holds no running statistics of its shards");
  }
}

/**
 * Reads a checkpoint file. First its header is checked, then its checksum; then its tensors are read.
 * @param file the file, or all its bytes
 * @throws {CheckpointError} if it is damaged or was not written by this project.
 */
export async function decodeCheckpoint(file: ByteSource | Uint8Array): Promise<Checkpoint> {
  try {
    const source = sourceOf(file);
    const opened = openSafetensors(source);
    const { metadata } = opened;
    const verified = carriesChecksum(metadata);
    const header = await acceptedHeader(source, opened, verified);
    const readable = [...opened.tensors].filter(([, { dtype }]) => isDType(dtype)).map(([name]) => name);
    const tensors = await opened.read(readable);
    return { ...modelState(tensors), ...header, record: readRecord(metadata, tensors), verified };
  } catch (error) {
    if (error instanceof FormatError || error instanceof SyntaxError) {
      throw new CheckpointError(`damaged checkpoint: ${error.message}`);
    }
    throw error;
  }
}

/**
 * Restores a checkpoint's state into a trainer with the same configuration.
 * @throws {CheckpointError} if the checkpoint does not fit the trainer.
 */
export function restoreTrainer(trainer: Trainer, checkpoint: Checkpoint): void {
  const { model, optimizer } = trainer;
  restoreModel(model, checkpoint);
  for (const [kind, vector] of Object.entries(optimizer.state)) {
    vector.write(joinVector(model.parameters, checkpoint.tensors, vector.size, `${kind}.`));
  }
  restoreReplay(trainer, (shape) => replayImages(checkpoint, shape));
  restoreShardStatistics(trainer, (shape) => checked(checkpoint.tensors, shardStatisticsName, shape));
  trainer.resumeAt(checkpoint.iteration, checkpoint.recovery);
}

/**
 * Restores a checkpoint's model.
 * @throws {CheckpointError} if the checkpoint does not fit the model.
 */
export function restoreModel(
  model: WideResNet,
  { tensors, batchesTracked, normsInitialised }: ModelState,
): void {
  writeModel(model, tensors);
  model.runningStatistics.batchesTracked = batchesTracked;
  model.normsInitialised = normsInitialised;
}

/**
 * The model in a checkpoint or model file, with its weights, for use in float32.
 * @throws {CheckpointError} if a tensor is missing or has another shape.
 */
export function modelFrom(context: Context, checkpoint: Checkpoint): WideResNet {
  const model = buildModel(context, checkpoint.configuration, checkpoint.images);
  restoreModel(model, checkpoint);
  return model;
}

/** Whether a checkpoint holds a replay buffer: plain classifiers have none. */
export function hasReplayImages({ tensors }: Checkpoint): boolean {
  return tensors.has(replayBuffer);
}

/**
 * The replay buffer of a checkpoint, `[n, H, W, C]`.
 * @param shape the required shape; by default any number of images of the model's size
 * @throws {CheckpointError} if there is none, or it has another shape.
 */
export function replayImages(checkpoint: Checkpoint, shape?: readonly number[]): HostTensor {
  const { height, width, channels } = checkpoint.images;
  const count = shape?.[0] ?? checkpoint.tensors.get(replayBuffer)?.shape[0] ?? 0;
  return imagesFromPyTorch(checked(checkpoint.tensors, replayBuffer, [count, channels, height, width]));
}

/** Whether a safetensors file with this metadata was written as a checkpoint by this project, even if damaged since. */
export function isCheckpoint(metadata: Readonly<Record<string, string>>): boolean {
  return "configuration" in metadata || checksumKey in metadata;
}

/** A checkpoint without the optimiser's vectors and what else only the run needs. */
export function modelOnly({ recovery: _, ...checkpoint }: Checkpoint): Checkpoint {
  const isModel = ([name]: [string, HostTensor]) =>
    /^(f|class_output|energy_output|replay_buffer)(\.|$)/.test(name) || startTensors.includes(name);
  return { ...checkpoint, record: {}, tensors: new Map([...checkpoint.tensors].filter(isModel)) };
}

/** A checkpoint as a safetensors file with a checksum. */
export async function serializeCheckpoint(checkpoint: Checkpoint): Promise<Uint8Array<ArrayBuffer>> {
  const { configuration, iteration, samplingSteps, recovery, record = {} } = checkpoint;
  const { height, width, channels, classNames, unnamed } = checkpoint.images;
  const tensors = new Map([...officialTensors(checkpoint), ...recordTensors(record)]);
  const bytes = serializeSafetensors(tensors, {
    ...recordMetadata(record),
    [checksumKey]: noChecksum,
    format,
    configuration: JSON.stringify(configuration),
    iteration: String(iteration),
    images: JSON.stringify({ height, width, channels, classNames, ...(unnamed && { unnamed }) }),
    ...(samplingSteps !== undefined && { samplingSteps: String(samplingSteps) }),
    ...(recovery && { recovery: JSON.stringify(recovery) }),
  });
  await writeChecksum(bytes);
  return bytes;
}
