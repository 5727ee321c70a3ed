/** What a checkpoint's header says, and whether to trust it. */

import { cleanName } from "../../data/class_names.ts";
import type { ImageDescription } from "../../data/fit.ts";
import { CheckpointError } from "../../errors.ts";
import type { ByteSource } from "../../formats/byte_source.ts";
import type { SafetensorsSource } from "../../formats/safetensors.ts";
import type { TensorDescription } from "../../formats/tensor_file.ts";
import { inferArchitecture, requireComplete } from "../../nn/state_dict.ts";
import { elements } from "../../tensor/tensor.ts";
import { type Configuration, parseConfiguration } from "../configuration.ts";
import { parseRecoveryState, type RecoveryState } from "../recovery/recovery.ts";
import { requireChecksum } from "./checksum.ts";
import { isReal } from "./model_state.ts";
import { replayBuffer } from "./state_search.ts";

/** Value of the metadata key `format`. */
export const format = "sada-jem checkpoint 1";
/** Metadata keys of files from before there were checksums. Any other key means that there must be one. */
const keysWithoutChecksum = ["format", "configuration", "iteration", "images"];
/** Most steps of a chain that a file may ask for; a user may ask for more. */
export const mostSamplingSteps = 10_000;
/** Longest name of a class, since classes are mostly named after folders. */
const longestName = 255;
/** Vectors as large as the parameters: the parameters and two moments, and one to spare. */
const mostVectors = 4;
/** Bytes for header, counters and rows of metrics. */
const mostOtherBytes = 2 ** 26;
/** Bytes that are read within a second, whatever they hold. */
const smallFile = 2 ** 28;

/** What a checkpoint's header says. */
export interface Header {
  readonly configuration: Configuration;
  /** Iterations done. The positions in the data and in all random streams follow from it. */
  readonly iteration: number;
  readonly images: ImageDescription;
  /** Length of the chains that draw from the model, of the training's step size; undefined for the training's K. */
  readonly samplingSteps?: number | undefined;
  /** How training went; undefined in a model alone and in files of earlier versions. */
  readonly recovery?: RecoveryState | undefined;
}

/** Whether a file with this metadata must have a checksum. */
export function carriesChecksum(metadata: Readonly<Record<string, string>>): boolean {
  return Object.keys(metadata).some((key) => !keysWithoutChecksum.includes(key));
}

/**
 * The header of a file whose checksum, if it has one, matches. The check reads the whole file, which only a sound
 * header justifies. A small file is read anyway, to tell damage from another version's file.
 */
export async function acceptedHeader(
  source: ByteSource,
  opened: SafetensorsSource,
  verified: boolean,
): Promise<Header> {
  let header: Header | undefined;
  let flaw: unknown;
  try {
    header = headerOf(opened, source.size);
  } catch (error) {
    flaw = error;
  }
  if (verified && (header || source.size <= smallFile)) await requireChecksum(source);
  if (!header) throw flaw;
  return header;
}

function headerOf({ metadata, tensors }: SafetensorsSource, fileBytes: number): Header {
  if (metadata["format"] !== format) throw new CheckpointError(`it is not a "${format}" file`);
  const configuration = parseConfiguration(JSON.parse(metadata["configuration"] ?? "null"));
  const images = imageDescription(JSON.parse(metadata["images"] ?? "null"));
  const state = new Map([...tensors].filter(([, { dtype }]) => isReal(dtype)));
  const needed = requireAgreement(state, configuration, images);
  requireProportion(state, needed, fileBytes);
  const { recovery, samplingSteps } = metadata;
  return {
    configuration,
    iteration: wholeNumber(Number(metadata["iteration"]), "iteration"),
    images,
    ...(samplingSteps !== undefined && { samplingSteps: samplingStepsOf(samplingSteps) }),
    ...(recovery !== undefined && { recovery: parseRecoveryState(JSON.parse(recovery)) }),
  };
}

/** Anything in a file besides a model, its replay buffer and the optimiser's vectors would be read in vain. */
function requireProportion(
  state: ReadonlyMap<string, TensorDescription>,
  needed: readonly string[],
  fileBytes: number,
): void {
  const bytesOf = (name: string) => 4 * elements(state.get(name)?.shape ?? [0]);
  const model = needed.reduce((sum, name) => sum + bytesOf(name), 0);
  const most = mostVectors * model + bytesOf(replayBuffer) + mostOtherBytes;
  if (fileBytes <= most) return;
  throw new CheckpointError(
    `damaged checkpoint: it has ${fileBytes} bytes, where one of its model has at most ${most}`,
  );
}

/**
 * If the description did not match the tensors, a model of any size could be built that they cannot fill. Returns the
 * names of the model's tensors.
 */
function requireAgreement(
  state: ReadonlyMap<string, TensorDescription>,
  { depth, width, norm }: Configuration,
  { height, channels, classNames }: ImageDescription,
): string[] {
  const found = inferArchitecture(state, { imageSize: height, norm });
  const said = { depth, width, channels, classes: classNames.length };
  for (const key of ["depth", "width", "channels", "classes"] as const) {
    if (found[key] === said[key]) continue;
    throw new CheckpointError(
      `damaged checkpoint: its tensors are those of a model of ${key} ${found[key]}, not ${said[key]}`,
    );
  }
  return requireComplete(state, found);
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

function samplingStepsOf(text: string): number {
  const steps = wholeNumber(Number(text), "samplingSteps");
  if (steps > mostSamplingSteps) throw new CheckpointError(`damaged checkpoint: samplingSteps is ${steps}`);
  return steps;
}

function wholeNumber(value: unknown, what: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw new CheckpointError(`damaged checkpoint: ${what} is ${value}`);
}
