/** Models from other programs: state dicts of the official code, from PyTorch or in safetensors files. */

import type { DatasetName } from "../../data/dataset.ts";
import type { ImageDescription } from "../../data/fit.ts";
import { classesOf, datasetFormats, datasetsOf } from "../../data/formats.ts";
import { CheckpointError, FormatError } from "../../errors.ts";
import { type ByteSource, sourceOf } from "../../formats/byte_source.ts";
import { isPyTorch, openPyTorch } from "../../formats/pytorch/pytorch.ts";
import { serializePyTorch } from "../../formats/pytorch/writer.ts";
import { type NamedTensor, openSafetensors } from "../../formats/safetensors.ts";
import type { TensorFile } from "../../formats/tensor_file.ts";
import { printable } from "../../formats/text.ts";
import type { NormName } from "../../nn/norms.ts";
import { checked } from "../../nn/state_dict.ts";
import { elements } from "../../tensor/tensor.ts";
import { type Checkpoint, decodeCheckpoint, isCheckpoint, modelOnly } from "./checkpoint.ts";
import { parseConfiguration } from "../configuration.ts";
import { modelState, officialTensors, startTensors } from "./model_state.ts";
import { findStates, type FoundState, leftAlone, placeName, replayBuffer } from "./state_search.ts";

/** Facts that a state dict does not tell. */
export interface ImportHints {
  /** The data set that the model was trained on. */
  readonly dataset?: DatasetName | undefined;
  /** Tells instance norm from layer norm. */
  readonly norm?: NormName | undefined;
  /** Whether images are scored by the energy head; by default the classes' logits score them. */
  readonly unconditional?: boolean | undefined;
  /** Which state dict to take if the file holds several: the name of its dictionary, such as `ema_state_dict`. */
  readonly state?: string | undefined;
  /**
   * The data set that the model will be used on, whatever it was trained on. The classes of a state dict then have no
   * names, and its images have the data set's size if nothing else gives one.
   */
  readonly usedOn?: { readonly dataset: DatasetName; readonly imageSize?: number | undefined } | undefined;
}

/** A model, and what else its file holds. */
export interface ModelFile extends Checkpoint {
  /** Names of the parts that were ignored, because nothing needs them. */
  readonly leftAlone: readonly string[];
  /** Which state dict was taken, if the file holds several that differ. */
  readonly choice?: string;
}

/**
 * Reads a model from a file of any known kind: a checkpoint of this project, or a `.pt` or safetensors file with a
 * state dict of the official code, wherever it is and whatever its prefix. Of several complete state dicts the trained
 * one is taken: not an average of weights (`ema_state_dict`), and not one deeper in the file than another. Tensors that
 * are not needed are not read.
 * @param file the file, or all its bytes
 * @throws {CheckpointError} if it is damaged, or holds no such model.
 */
export async function readModelFile(
  file: ByteSource | Uint8Array,
  hints: ImportHints = {},
): Promise<ModelFile> {
  const source = sourceOf(file);
  try {
    if (isPyTorch(source)) return await importState(await openPyTorch(source), hints);
    const opened = openSafetensors(source);
    if (isCheckpoint(opened.metadata)) return { ...await decodeCheckpoint(source), leftAlone: [] };
    return await importState(opened, hints);
  } catch (error) {
    if (error instanceof FormatError) throw new CheckpointError(error.message);
    throw error;
  }
}

/** A checkpoint as a `.pt` file like those of the official code: the state dict and the replay buffer. */
export function serializeOfficial(checkpoint: Checkpoint): Uint8Array<ArrayBuffer> {
  const tensors = officialTensors(modelOnly(checkpoint));
  const buffer = tensors.get(replayBuffer);
  for (const name of [replayBuffer, ...startTensors]) tensors.delete(name);
  const contents = new Map<string, NamedTensor | ReadonlyMap<string, NamedTensor>>([[
    "model_state_dict",
    tensors,
  ]]);
  if (buffer) contents.set(replayBuffer, buffer);
  return serializePyTorch(contents);
}

async function importState(file: TensorFile, hints: ImportHints): Promise<ModelFile> {
  const side = hints.dataset ? datasetFormats.get(hints.dataset)?.side : hints.usedOn?.imageSize;
  const states = findStates(file, { norm: hints.norm, imageSize: side, place: hints.state });
  const state = states[0]!;
  const { depth, width, norm, channels, classes, imageSize } = state.architecture;
  // If several data sets fit, the first one is a guess, and the classes have no names.
  const fitting = hints.usedOn ? [] : datasetsOf(channels, classes, imageSize);
  const dataset = hints.dataset ?? hints.usedOn?.dataset ?? fitting[0];
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
  const options = { dataset, depth, width, norm, unconditional: hints.unconditional ?? false };
  // Only folders of pictures have a free size. For other data sets the option would mean nothing.
  const configuration = parseConfiguration(dataset === "images" ? { ...options, imageSize } : options);
  const read = modelState(await readState(file, state));
  for (const name of state.needed) {
    checked(read.tensors, name, file.tensors.get(state.names.get(name)!)!.shape);
  }
  const choice = await choiceAmong(file, states);
  return {
    ...read,
    configuration,
    iteration: 0,
    images,
    leftAlone: leftAlone(file, state),
    ...(choice !== undefined && { choice }),
  };
}

/** Bytes of a state dict's tensors that are read but not needed: counters, and the layers of an unused head. */
const mostSpareBytes = 2 ** 24;

/**
 * A state dict's tensors under their official names. Those that are not needed are left out if they cannot be read, or
 * are large.
 */
async function readState(file: TensorFile, { names, needed }: FoundState): Promise<Map<string, NamedTensor>> {
  const required = new Set([...needed, replayBuffer]);
  const tensors = await readAs(file, names, [...names.keys()].filter((name) => required.has(name)));
  let left = mostSpareBytes;
  for (const spare of [...names.keys()].filter((name) => !required.has(name))) {
    left -= 8 * elements(file.tensors.get(names.get(spare)!)!.shape);
    if (left < 0) break;
    try {
      for (const [name, tensor] of await readAs(file, names, [spare])) tensors.set(name, tensor);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
    }
  }
  return tensors;
}

async function readAs(
  file: TensorFile,
  names: ReadonlyMap<string, string>,
  wanted: readonly string[],
): Promise<Map<string, NamedTensor>> {
  const read = await file.read(wanted.map((name) => names.get(name)!));
  return new Map(wanted.map((name) => [name, read.get(names.get(name)!)!]));
}

/** State dicts that are compared with the chosen one. */
const mostCompared = 8;

/** Says which state dict was chosen, if another one has other weights. */
async function choiceAmong(file: TensorFile, [taken, ...others]: readonly FoundState[]) {
  const differing: FoundState[] = [];
  for (const other of others.slice(0, mostCompared)) {
    if (!await sameWeights(file, taken!, other)) differing.push(other);
  }
  const [first] = differing;
  if (!first) return undefined;
  const places = differing.map(({ place }) => placeName(place)).join(", ");
  return `took the state dict at ${placeName(taken!.place)}; other weights are at ${places} (--state ${
    printable(first.place)
  } takes those)`;
}

async function sameWeights(file: TensorFile, a: FoundState, b: FoundState): Promise<boolean> {
  for (const name of a.needed) {
    const [nameA, nameB] = [a.names.get(name)!, b.names.get(name)];
    if (nameB === undefined || file.tensors.get(nameA)!.dtype !== file.tensors.get(nameB)!.dtype) {
      return false;
    }
    try {
      const read = await file.read([nameA, nameB]);
      const [dataA, dataB] = [read.get(nameA)!.data, read.get(nameB)!.data];
      if (dataA.length !== dataB.length || dataA.some((byte, i) => byte !== dataB[i])) return false;
    } catch (error) {
      if (error instanceof FormatError) return false;
      throw error;
    }
  }
  return true;
}
