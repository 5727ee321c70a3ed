/** Models that other programs made: state dicts of the official code, from PyTorch or in safetensors files. */

import type { DatasetName } from "../data/dataset.ts";
import type { ImageDescription } from "../data/fit.ts";
import { classesOf, datasetFormats, datasetsOf } from "../data/formats.ts";
import { CheckpointError, FormatError } from "../errors.ts";
import { parsePyTorch } from "../formats/pytorch.ts";
import { serializePyTorch } from "../formats/pytorch_writer.ts";
import { type NamedTensor, parseSafetensors } from "../formats/safetensors.ts";
import type { NormName } from "../nn/norms.ts";
import { inferArchitecture } from "../nn/state_dict.ts";
import { type Checkpoint, decodeCheckpoint, modelOnly, modelState, officialTensors } from "./checkpoint.ts";
import { parseConfiguration } from "./configuration.ts";

/** What a state dict does not tell. */
export interface ImportHints {
  /** The data set that the model was trained on. */
  readonly dataset?: DatasetName | undefined;
  /** Tells instance from layer norm. */
  readonly norm?: NormName | undefined;
  /** Whether images are scored by the energy head; by default by the classes' logits. */
  readonly unconditional?: boolean | undefined;
}

/** Where the state dict is in a file: in an official checkpoint, in common ones, or the file itself. */
const stateNames = ["model_state_dict.", "state_dict.", "model.", ""];
/** What `DataParallel` puts before every name. */
const parallelPrefix = "module.";
const replayBuffer = "replay_buffer";

/**
 * Reads a model from a file of any kind that is known: a checkpoint of this project, a `.pt` file of the official code
 * (or any that holds its state dict), a plain safetensors file with the official names.
 * @throws {CheckpointError} if it is damaged, or does not hold such a model.
 */
export async function readModelFile(
  bytes: Uint8Array<ArrayBuffer>,
  hints: ImportHints = {},
): Promise<Checkpoint> {
  if (!isPyTorch(bytes)) {
    const file = named(() => parseSafetensors(bytes));
    return "configuration" in file.metadata ? decodeCheckpoint(bytes) : importState(file.tensors, hints);
  }
  try {
    return importState(await parsePyTorch(bytes), hints);
  } catch (error) {
    if (error instanceof FormatError) throw new CheckpointError(error.message);
    throw error;
  }
}

/** A checkpoint as a `.pt` file such as the official code writes: the state dict and the replay buffer. */
export function serializeOfficial(checkpoint: Checkpoint): Uint8Array<ArrayBuffer> {
  const tensors = officialTensors(modelOnly(checkpoint));
  const buffer = tensors.get(replayBuffer);
  tensors.delete(replayBuffer);
  const contents = new Map<string, NamedTensor | ReadonlyMap<string, NamedTensor>>([[
    "model_state_dict",
    tensors,
  ]]);
  if (buffer) contents.set(replayBuffer, buffer);
  return serializePyTorch(contents);
}

/** Whether a file is one of `torch.save`: a zip archive, or a pickle. */
function isPyTorch(bytes: Uint8Array): boolean {
  return (bytes[0] === 0x50 && bytes[1] === 0x4b) ||
    (bytes[0] === 0x80 && bytes[1] === 2 && bytes[2] === 0x8a);
}

function named<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (error instanceof FormatError) throw new CheckpointError(error.message);
    throw error;
  }
}

function importState(tensors: ReadonlyMap<string, NamedTensor>, hints: ImportHints): Checkpoint {
  const state = officialNames(tensors);
  const buffer = tensors.get(replayBuffer) ?? state.get(replayBuffer);
  const { norm: normHint, unconditional = false } = hints;
  const side = buffer?.shape[2] ?? (hints.dataset && datasetFormats.get(hints.dataset)?.side);
  const architecture = inferArchitecture(state, { norm: normHint, imageSize: side });
  if (buffer) state.set(replayBuffer, buffer);
  const { depth, width, norm, channels, classes, imageSize } = architecture;
  // Where several data sets fit, the first is a guess, and the classes go without names.
  const fitting = datasetsOf(channels, classes, imageSize);
  const dataset = hints.dataset ?? fitting[0];
  if (!dataset) {
    throw new CheckpointError(
      `the file does not say what the model was trained on (${channels} channels, ${classes} classes); say so (--dataset)`,
    );
  }
  const images: ImageDescription = {
    height: imageSize,
    width: imageSize,
    channels,
    ...classesOf(hints.dataset ?? (fitting.length === 1 ? fitting[0] : undefined), classes),
  };
  const options = { dataset, depth, width, norm, unconditional };
  // Only folders of pictures come in any size; for other data sets the option would say nothing.
  const configuration = parseConfiguration(dataset === "images" ? { ...options, imageSize } : options);
  return { ...named(() => modelState(state)), configuration, iteration: 0, images };
}

/** The state dict in a file, under the official names. */
function officialNames(tensors: ReadonlyMap<string, NamedTensor>): Map<string, NamedTensor> {
  for (const place of stateNames) {
    for (const prefix of [place, place + parallelPrefix]) {
      if (!tensors.has(`${prefix}f.conv1.weight`)) continue;
      const inside = [...tensors].filter(([name]) => name.startsWith(prefix));
      return new Map(inside.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
    }
  }
  throw new CheckpointError(
    "the file holds no state dict of the official networks (no tensor f.conv1.weight)",
  );
}
