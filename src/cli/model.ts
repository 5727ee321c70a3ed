import { fileURLToPath } from "node:url";
import { type DatasetName, datasetNames } from "../data/dataset.ts";
import { CheckpointError } from "../errors.ts";
import { normNames } from "../nn/norms.ts";
import type { WideResNet } from "../nn/wide_resnet.ts";
import type { Context } from "../tensor/context.ts";
import { buildModel } from "../train/build.ts";
import { type Checkpoint, restoreModel } from "../train/checkpoint.ts";
import { type ImportHints, readModelFile } from "../train/import.ts";
import { newestCheckpoint } from "../train/run_directory.ts";
import { printError, UsageError } from "./command.ts";

/** The digits model that comes with the project. */
export const shippedModel = new URL("../../data/models/digits.safetensors", import.meta.url);

/** Options that say what a file of another program leaves open. */
export const hintOptions = {
  dataset: { type: "string" },
  norm: { type: "string" },
  unconditional: { type: "boolean" },
} as const;

/** Their part of a command's help. */
export const hintHelp = `
  --dataset NAME      for a model of the official code: the data set it was trained on, if it cannot be guessed
  --norm NAME         for such a model: its norm, where instance and layer norm cannot be told apart
  --unconditional     for such a model: score images by its energy head, as it was trained with --uncond
`.trim();

/**
 * The values of {@link hintOptions}.
 * @throws {UsageError} if there is no such data set or norm.
 */
export function hintsOf(values: {
  readonly dataset?: string;
  readonly norm?: string;
  readonly unconditional?: boolean;
}): ImportHints {
  return {
    unconditional: values.unconditional,
    dataset: oneOf("--dataset", datasetNames, values.dataset),
    norm: oneOf("--norm", normNames, values.norm),
  };
}

function oneOf<Name extends string>(
  option: string,
  names: readonly Name[],
  value: string | undefined,
): Name | undefined {
  const found = names.find((name) => name === value);
  if (value !== undefined && !found) {
    throw new UsageError(`${option} takes one of ${names.join(", ")}, not "${value}"`);
  }
  return found;
}

/**
 * Loads a model: from a file, or from a run directory (its final model, else its newest checkpoint).
 * @throws {CheckpointError} if there is none or it is damaged.
 */
export async function loadModel(
  context: Context,
  path: string | URL,
  hints: ImportHints,
): Promise<{ model: WideResNet; checkpoint: Checkpoint }> {
  const checkpoint = await readCheckpoint(path, hints);
  const model = buildModel(context, checkpoint.configuration, checkpoint.images);
  restoreModel(model, checkpoint);
  return { model, checkpoint };
}

/** {@link loadModel} without the model. */
export async function readCheckpoint(path: string | URL, hints: ImportHints): Promise<Checkpoint> {
  const name = path instanceof URL ? fileURLToPath(path) : path;
  try {
    if (!(await Deno.stat(path)).isDirectory) {
      return await decodeNamed(name, await Deno.readFile(path), hints);
    }
    const model = await readIfThere(`${name}/model.safetensors`);
    if (model) return await decodeNamed(`${name}/model.safetensors`, model, hints);
    return await newestCheckpoint(name, (message) => printError(`warning: ${message}`));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new CheckpointError(`there is no model ${name}`);
    throw error;
  }
}

/** The data set that a model was trained on, and where it lies. */
export function datasetOf(
  { configuration: { dataset: name, dataFolder, dataLimit: limit, imageSize } }: Checkpoint,
  folder: string | undefined,
): { name: DatasetName; folder: string | null; limit: number | null; imageSize: number } {
  return { name, folder: folder ?? dataFolder, limit, imageSize };
}

async function decodeNamed(
  name: string,
  bytes: Uint8Array<ArrayBuffer>,
  hints: ImportHints,
): Promise<Checkpoint> {
  try {
    return await readModelFile(bytes, hints);
  } catch (error) {
    if (error instanceof CheckpointError) throw new CheckpointError(`${name}: ${error.message}`);
    throw error;
  }
}

async function readIfThere(path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
