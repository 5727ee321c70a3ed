/** Finds state dicts of the official networks at any depth in a file, by the ends of names and the tensors' shapes. */

import { CheckpointError, SadaJemError } from "../../errors.ts";
import type { TensorDescription, TensorFile } from "../../formats/tensor_file.ts";
import { printable } from "../../formats/text.ts";
import { type ArchitectureHints, inferArchitecture, requireComplete } from "../../nn/state_dict.ts";
import { type Architecture, groupCount } from "../../nn/wide_resnet.ts";
import { elements } from "../../tensor/tensor.ts";
import { isReal } from "./model_state.ts";

/** A state dict in a file. */
export interface FoundState {
  /** Prefix of its names, without the last dot; empty at the top level. */
  readonly place: string;
  readonly architecture: Architecture;
  /** Official names that a model of the architecture needs. */
  readonly needed: readonly string[];
  /** The file's names of all tensors with official names, and of a replay buffer. */
  readonly names: ReadonlyMap<string, string>;
}

/** Options of a search. */
export interface SearchHints extends ArchitectureHints {
  /** Where the state dict is, if the file holds several. */
  readonly place?: string | undefined;
}

/** The name of the replay buffer in files of the official code and of this project. */
export const replayBuffer = "replay_buffer";

const officialName =
  /^(?:f\.(?:conv1|bn1|layer\d+\.\d+\.(?:conv[12]|bn[12]|shortcut\.0))|class_output|energy_output)\.(?:weight|bias|running_mean|running_var|num_batches_tracked|loc|scale|initialized)$/;
/** Number of parts of the longest name, `f.layer1.0.shortcut.0.weight`. */
const mostParts = 6;
/** What PyTorch's wrappers insert into names, and how a whole pickled network nests its tensors. */
const wrappers: ReadonlySet<string> = new Set(
  ["module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"]
    .concat(["_modules", "_parameters", "_buffers"]),
);
/** Most elements of a replay buffer: twenty thousand images of 64×64 pixels. */
const mostReplayElements = 2 ** 28;
/** Most state dicts that are looked at, the fullest first. */
const mostStates = 64;
/** Words in the paths of averaged weights. */
const averaged = /(^|[._])(ema|swa|avg|averaged?|shadow|teacher)([._]|$)/i;

/**
 * All complete state dicts of official networks in a file. The trained one comes first: averages come after other
 * weights, then deeper ones after shallower ones; otherwise the file's order counts.
 * @throws {CheckpointError} if there is none, saying what the fullest one lacks.
 */
export function findStates(file: TensorFile, hints: SearchHints): FoundState[] {
  const groups = [...groupsOf(file.tensors.keys())];
  if (groups.length === 0) {
    throw new CheckpointError(
      "the file holds no state dict of the official networks (no tensor f.conv1.weight)",
    );
  }
  const wanted = hints.place;
  const asked = wanted === undefined ? groups : groups.filter(([place]) => isAt(place, wanted, file.aliases));
  if (asked.length === 0) {
    const places = groups.map(([place]) => placeName(place)).slice(0, 10).join(", ");
    throw new CheckpointError(`the file holds no state dict at "${hints.place}"; it does at ${places}`);
  }
  asked.sort(([, a], [, b]) => b.size - a.size);
  const buffers = [...file.tensors.keys()].filter((name) => /(^|\.)replay_buffer$/.test(name));
  const found: FoundState[] = [];
  let firstError: SadaJemError | undefined;
  for (const [place, names] of asked.slice(0, mostStates)) {
    try {
      found.push(judged(file, buffers, place, names, hints));
    } catch (error) {
      if (!(error instanceof SadaJemError)) throw error;
      firstError ??= error;
    }
  }
  if (found.length === 0) throw firstError!;
  const order = groups.map(([place]) => place);
  const rank = ({ place }: FoundState) => [
    Number(averaged.test(place)),
    place === "" ? 0 : place.split(".").length,
    order.indexOf(place),
  ];
  return found
    .map((state) => ({ state, rank: rank(state) }))
    .sort((a, b) => a.rank.map((value, i) => value - b.rank[i]!).find((difference) => difference !== 0) ?? 0)
    .map(({ state }) => state);
}

/** A path in printable form. */
export function placeName(place: string): string {
  return place === "" ? "the top level" : `"${printable(place)}"`;
}

/** Tensors with official names, by their prefixes in the file. */
function groupsOf(names: Iterable<string>): Map<string, Map<string, string>> {
  const groups = new Map<string, Map<string, string>>();
  for (const name of names) {
    const split = splitName(name);
    if (!split) continue;
    const group = groups.get(split.place) ?? new Map<string, string>();
    groups.set(split.place, group);
    if (!group.has(split.official)) group.set(split.official, name);
  }
  return groups;
}

function splitName(name: string): { place: string; official: string } | undefined {
  const parts = name.split(".");
  let official = "";
  for (let at = parts.length - 1, used = 0; at >= 0 && used < mostParts; at--) {
    if (wrappers.has(parts[at]!)) continue;
    official = used++ === 0 ? parts[at]! : `${parts[at]}.${official}`;
    if (officialName.test(official)) return { place: parts.slice(0, at).join("."), official };
  }
  return undefined;
}

/** Whether a path is the requested one, or inside it. */
function isAt(place: string, asked: string, aliases: ReadonlyMap<string, string>): boolean {
  const names = [asked, aliases.get(asked) ?? asked];
  return names.some((name) => place === name || place.startsWith(`${name}.`));
}

function judged(
  file: TensorFile,
  buffers: readonly string[],
  place: string,
  names: ReadonlyMap<string, string>,
  hints: SearchHints,
): FoundState {
  const state = new Map<string, TensorDescription>(
    [...names].map(([official, name]) => [official, file.tensors.get(name)!]),
  );
  const buffer = replayBufferOf(file, buffers, place, state);
  const imageSize = buffer === undefined ? hints.imageSize : file.tensors.get(buffer)!.shape[2];
  const architecture = inferArchitecture(state, { ...hints, imageSize });
  const needed = requireComplete(state, architecture);
  for (const name of needed) {
    const { dtype } = state.get(name)!;
    if (isReal(dtype)) continue;
    throw new CheckpointError(
      `tensor ${name} has elements of type ${printable(dtype)}, which no weights have`,
    );
  }
  return {
    place,
    architecture,
    needed,
    names: buffer === undefined ? names : new Map([...names, [replayBuffer, buffer]]),
  };
}

/** The file's name of a replay buffer that fits a state dict: the closest one above it, or else any. */
function replayBufferOf(
  { tensors }: TensorFile,
  buffers: readonly string[],
  place: string,
  state: ReadonlyMap<string, TensorDescription>,
): string | undefined {
  const channels = state.get("f.conv1.weight")?.shape[1];
  const groups = state.has("f.layer4.0.conv1.weight") ? 4 : 3;
  const fits = (name: string) => {
    const { dtype, shape } = tensors.get(name)!;
    const [, depth, height = 0, width] = shape;
    return isReal(dtype) && shape.length === 4 && depth === channels && height === width &&
      groupCount(height) === groups && elements(shape) <= mostReplayElements;
  };
  const parts = place === "" ? [] : place.split(".");
  const above = parts.map((_, i) => [...parts.slice(0, parts.length - i), replayBuffer].join("."));
  return [...above, replayBuffer, ...buffers].find((name) => tensors.has(name) && fits(name));
}

/** What a file holds besides a state dict, for a line of output: each entry of the state dict's surroundings, once. */
export function leftAlone(file: TensorFile, { place, names }: FoundState): string[] {
  const used = new Set(names.values());
  const usedEntries = new Set([...used].map((name) => entryOf(name, place)));
  const counts = new Map<string, number>();
  for (const name of file.tensors.keys()) {
    if (used.has(name)) continue;
    const entry = entryOf(name, place);
    counts.set(entry, (counts.get(entry) ?? 0) + 1);
  }
  for (const name of file.others) {
    const entry = entryOf(name, place);
    if (!isAbove(entry, place) && !usedEntries.has(entry)) counts.set(entry, counts.get(entry) ?? 0);
  }
  return [...counts].map(([entry, count]) =>
    printable(entry) + (count === 0 ? "" : ` (${count} tensor${count === 1 ? "" : "s"})`)
  );
}

/** The part of a path up to where it leaves the state dict's path. */
function entryOf(path: string, place: string): string {
  const [parts, way] = [path.split("."), place.split(".")];
  const parting = parts.findIndex((part, i) => part !== way[i]);
  return parting < 0 ? path : parts.slice(0, parting + 1).join(".");
}

/** Whether a path is a state dict's own, or that of its surroundings. */
function isAbove(path: string, place: string): boolean {
  return path === place || place.startsWith(`${path}.`);
}
