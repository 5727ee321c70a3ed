import { CheckpointError, FormatError } from "../errors.ts";
import { type HostTensor, imagesFromPyTorch, imagesToPyTorch } from "../formats/pytorch_layout.ts";
import {
  float32Of,
  type NamedTensor,
  numbersOf,
  parseSafetensors,
  serializeSafetensors,
} from "../formats/safetensors.ts";
import { bytesOf } from "../formats/bytes.ts";
import {
  checked,
  inferArchitecture,
  joinVector,
  readModel,
  requireComplete,
  splitVector,
  type StateDict,
  writeModel,
} from "../nn/state_dict.ts";
import { cleanName } from "../data/class_names.ts";
import type { ImageDescription } from "../data/fit.ts";
import type { WideResNet } from "../nn/wide_resnet.ts";
import { type Configuration, parseConfiguration } from "./configuration.ts";
import { parseRecoveryState, type RecoveryState } from "./recovery.ts";
import type { Trainer } from "./trainer.ts";

/** Value of the metadata key `format`. */
const format = "sada-jem checkpoint 1";
const replayBufferName = "replay_buffer";
/** A folder's name is at most so long, and classes are mostly named after folders. */
const longestName = 255;
const trackedSuffix = "num_batches_tracked";
const initialisedSuffix = "initialized";

/** A checkpoint file in memory. */
export interface Checkpoint {
  /** Official names, PyTorch's layout. */
  readonly tensors: StateDict;
  readonly configuration: Configuration;
  /** Iterations done; the positions in the data and in all random streams follow from it. */
  readonly iteration: number;
  /** Batches that each batch norm layer has normalised in training. */
  readonly batchesTracked: number;
  /** Whether act norm has been set from data; true of the other norms. */
  readonly normsInitialised: boolean;
  readonly images: ImageDescription;
  /** How the training fared; nothing in a model alone and in files of earlier versions. */
  readonly recovery?: RecoveryState | undefined;
}

/**
 * The trainer's whole state as a safetensors file: the model's official state dict, `replay_buffer` `[n, C, H, W]`, and
 * the optimiser's vectors as `momentum.<parameter>`, `exp_avg.<parameter>`, `exp_avg_sq.<parameter>`. The same state
 * gives the same bytes.
 * @throws {CheckpointError} if the state holds a value that is not finite.
 */
export async function encodeCheckpoint(
  trainer: Trainer,
  configuration: Configuration,
  images: ImageDescription,
): Promise<Uint8Array<ArrayBuffer>> {
  const { model, sampler, optimizer, iteration, recovery } = trainer;
  const tensors = await readModel(model);
  for (const [kind, vector] of Object.entries(optimizer.state)) {
    for (const [name, tensor] of splitVector(model.parameters, await vector.read())) {
      tensors.set(`${kind}.${name}`, tensor);
    }
  }
  if (sampler) {
    const { shape } = sampler.buffer.images;
    tensors.set(replayBufferName, imagesToPyTorch({ shape, data: await sampler.buffer.images.read() }));
  }
  for (const [name, { shape }] of tensors) checked(tensors, name, shape);
  const { normsInitialised, runningStatistics: { batchesTracked } } = model;
  const state = { batchesTracked, normsInitialised, recovery };
  return serializeCheckpoint({ tensors, configuration, iteration, images, ...state });
}

/**
 * A model alone, with the replay buffer to sample from: what a training run leaves to be used.
 * @throws {CheckpointError} if the state holds a value that is not finite.
 */
export async function encodeModel(
  trainer: Trainer,
  configuration: Configuration,
  images: ImageDescription,
): Promise<Uint8Array<ArrayBuffer>> {
  return serializeCheckpoint(
    modelOnly(decodeCheckpoint(await encodeCheckpoint(trainer, configuration, images))),
  );
}

/**
 * Reads a checkpoint file.
 * @throws {CheckpointError} if it is damaged or was not written by this project.
 */
export function decodeCheckpoint(bytes: Uint8Array): Checkpoint {
  try {
    const { tensors, metadata } = parseSafetensors(bytes);
    if (metadata["format"] !== format) {
      throw new CheckpointError(`it is not a "${format}" file`);
    }
    const state = modelState(tensors);
    const configuration = parseConfiguration(JSON.parse(metadata["configuration"] ?? "null"));
    const images = imageDescription(JSON.parse(metadata["images"] ?? "null"));
    requireAgreement(state.tensors, configuration, images);
    const recovery = metadata["recovery"];
    return {
      ...state,
      configuration,
      iteration: wholeNumber(Number(metadata["iteration"]), "iteration"),
      images,
      ...(recovery !== undefined && { recovery: parseRecoveryState(JSON.parse(recovery)) }),
    };
  } catch (error) {
    if (error instanceof FormatError || error instanceof SyntaxError) {
      throw new CheckpointError(`damaged checkpoint: ${error.message}`);
    }
    throw error;
  }
}

/** A description that is not that of the tensors would have a model built that they cannot fill, of any size. */
function requireAgreement(
  state: StateDict,
  { depth, width, norm }: Configuration,
  { height, channels, classNames }: ImageDescription,
): void {
  const found = inferArchitecture(state, { imageSize: height, norm });
  const said = { depth, width, channels, classes: classNames.length };
  for (const key of ["depth", "width", "channels", "classes"] as const) {
    if (found[key] === said[key]) continue;
    throw new CheckpointError(
      `damaged checkpoint: its tensors are those of a model of ${key} ${found[key]}, not ${said[key]}`,
    );
  }
  requireComplete(state, found);
}

/**
 * The parts of a checkpoint that tensors hold, whatever file they come from; float16 and float64 become float32. Counters
 * that are no whole numbers (those of a model that was cast to float16 overflow) are taken as unknown: nothing needs them.
 */
export function modelState(
  tensors: ReadonlyMap<string, NamedTensor>,
): Pick<Checkpoint, "tensors" | "batchesTracked" | "normsInitialised"> {
  const counter = (suffix: string) => {
    const found = [...tensors].find(([name]) => name.endsWith(`.${suffix}`))?.[1];
    return found && countOf(found);
  };
  const state: StateDict = new Map();
  for (const [name, tensor] of tensors) {
    const isCounter = [trackedSuffix, initialisedSuffix].some((suffix) => name.endsWith(`.${suffix}`));
    if (isReal(tensor.dtype) && !isCounter) state.set(name, { shape: tensor.shape, data: float32Of(tensor) });
  }
  return {
    tensors: state,
    batchesTracked: counter(trackedSuffix) ?? 0,
    normsInitialised: counter(initialisedSuffix) !== 0,
  };
}

/** Whether elements of this type are weights: floating-point numbers that are read. */
export function isReal(dtype: string): boolean {
  return /^(F16|BF16|F32|F64)$/.test(dtype);
}

function countOf(tensor: NamedTensor): number | undefined {
  if (/^F8/.test(tensor.dtype)) return undefined;
  const [count] = numbersOf(tensor);
  return Number.isSafeInteger(count) && count! >= 0 ? count : undefined;
}

/**
 * Puts a trainer of the same configuration into a checkpoint's state.
 * @throws {CheckpointError} if the checkpoint does not fit the trainer.
 */
export function restoreTrainer(trainer: Trainer, checkpoint: Checkpoint): void {
  const { model, optimizer, sampler } = trainer;
  restoreModel(model, checkpoint);
  for (const [kind, vector] of Object.entries(optimizer.state)) {
    vector.write(joinVector(model.parameters, checkpoint.tensors, vector.size, `${kind}.`));
  }
  if (sampler) sampler.buffer.images.write(replayImages(checkpoint, sampler.buffer.images.shape).data);
  trainer.resumeAt(checkpoint.iteration, checkpoint.recovery);
}

/**
 * Puts a model into a checkpoint's state.
 * @throws {CheckpointError} if the checkpoint does not fit the model.
 */
export function restoreModel(
  model: WideResNet,
  { tensors, batchesTracked, normsInitialised }: Pick<
    Checkpoint,
    "tensors" | "batchesTracked" | "normsInitialised"
  >,
): void {
  writeModel(model, tensors);
  model.runningStatistics.batchesTracked = batchesTracked;
  model.normsInitialised = normsInitialised;
}

/** Whether a checkpoint holds a replay buffer: plain classifiers have none. */
export function hasReplayImages({ tensors }: Checkpoint): boolean {
  return tensors.has(replayBufferName);
}

/**
 * The replay buffer of a checkpoint, `[n, H, W, C]`.
 * @param shape the shape that it must have; any number of images of the model's size by default
 * @throws {CheckpointError} if there is none, or it has another shape.
 */
export function replayImages(checkpoint: Checkpoint, shape?: readonly number[]): HostTensor {
  const { height, width, channels } = checkpoint.images;
  const count = shape?.[0] ?? checkpoint.tensors.get(replayBufferName)?.shape[0] ?? 0;
  return imagesFromPyTorch(checked(checkpoint.tensors, replayBufferName, [count, channels, height, width]));
}

/** A checkpoint without what only training needs. */
export function modelOnly({ recovery: _, ...checkpoint }: Checkpoint): Checkpoint {
  const isModel = ([name]: [string, HostTensor]) =>
    /^(f|class_output|energy_output|replay_buffer)(\.|$)/.test(name);
  return { ...checkpoint, tensors: new Map([...checkpoint.tensors].filter(isModel)) };
}

/** All tensors that an official state dict holds, with the counters that are no floating-point numbers. */
export function officialTensors(checkpoint: Checkpoint): Map<string, NamedTensor> {
  const { batchesTracked, normsInitialised } = checkpoint;
  const tracked = bytesOf(BigInt64Array.of(BigInt(batchesTracked)));
  const initialised = Uint8Array.of(Number(normsInitialised));
  const tensors = new Map<string, NamedTensor>();
  for (const [name, { shape, data }] of checkpoint.tensors) {
    tensors.set(name, {
      dtype: "F32",
      shape,
      data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    });
    const [, norm, kind] = /^(f\..*)\.(running_var|loc)$/.exec(name) ?? [];
    if (kind === "running_var") {
      tensors.set(`${norm}.${trackedSuffix}`, { dtype: "I64", shape: [], data: tracked });
    }
    if (kind === "loc") {
      tensors.set(`${norm}.${initialisedSuffix}`, { dtype: "U8", shape: [], data: initialised });
    }
  }
  return tensors;
}

/** A checkpoint as a safetensors file. */
export function serializeCheckpoint(checkpoint: Checkpoint): Uint8Array<ArrayBuffer> {
  const { configuration, iteration, recovery } = checkpoint;
  const { height, width, channels, classNames, unnamed } = checkpoint.images;
  return serializeSafetensors(officialTensors(checkpoint), {
    format,
    configuration: JSON.stringify(configuration),
    iteration: String(iteration),
    images: JSON.stringify({ height, width, channels, classNames, ...(unnamed && { unnamed }) }),
    ...(recovery && { recovery: JSON.stringify(recovery) }),
  });
}

function imageDescription(value: unknown): ImageDescription {
  const { height, width, channels, classNames, unnamed = false } = (value ?? {}) as Partial<ImageDescription>;
  const isName = (name: unknown) => typeof name === "string" && name.length <= longestName;
  if (!Array.isArray(classNames) || !classNames.every(isName) || typeof unnamed !== "boolean") {
    throw new CheckpointError("damaged checkpoint: it does not name its classes");
  }
  if (height !== width) throw new CheckpointError(`damaged checkpoint: images of ${height}×${width} pixels`);
  return {
    height: wholeNumber(height, "height"),
    width: wholeNumber(width, "width"),
    channels: wholeNumber(channels, "channels"),
    classNames: classNames.map(cleanName),
    ...(unnamed && { unnamed }),
  };
}

function wholeNumber(value: unknown, what: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw new CheckpointError(`damaged checkpoint: ${what} is ${value}`);
}
