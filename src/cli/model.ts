import { fileURLToPath } from "node:url";
import { type Dataset, type DatasetName, datasetNames } from "../data/dataset.ts";
import { fitDataset } from "../data/fit.ts";
import { classesOf } from "../data/formats.ts";
import { exists } from "../data/files.ts";
import { loadDataset } from "../data/load.ts";
import { RegularFile } from "../data/regular_file.ts";
import { missingClasses } from "../data/subsets.ts";
import { CheckpointError, FormatError } from "../errors.ts";
import { normNames } from "../nn/norms.ts";
import type { WideResNet } from "../nn/wide_resnet.ts";
import type { Context } from "../tensor/context.ts";
import { type Checkpoint, modelFrom } from "../train/checkpoint/checkpoint.ts";
import { type ImportHints, type ModelFile, readModelFile } from "../train/checkpoint/import.ts";
import { checkpointPath, newestCheckpoint } from "../train/checkpoint/folder.ts";
import { printError, UsageError } from "./command.ts";

/** The bundled digits model. */
export const shippedModel = new URL("../../data/models/digits.safetensors", import.meta.url);
const bundledModels = new URL("../../data/models/", import.meta.url);

/** Options for what a file of another program leaves open. */
export const hintOptions = {
  dataset: { type: "string" },
  norm: { type: "string" },
  unconditional: { type: "boolean" },
  state: { type: "string" },
} as const;

/** Their part of a command's help. */
export const hintHelp = `
  --dataset NAME      the data set: for a model of the official code, what it was trained on; for others, another one
                      with the same classes, which are matched by their names.
                      One of ${datasetNames.join(", ")}
  --norm NAME         for such a model: its norm, where instance and layer norm cannot be told apart.
                      One of ${normNames.join(", ")}
  --unconditional     for such a model: score images by its energy head, as it was trained with --uncond
  --state NAME        for such a model: the state dict to take if the file holds several, such as ema_state_dict
`.slice(1, -1);

/**
 * The values of {@link hintOptions}.
 * @throws {UsageError} if there is no such data set or norm.
 */
export function hintsOf(values: {
  readonly dataset?: string;
  readonly norm?: string;
  readonly unconditional?: boolean;
  readonly state?: string;
}): ImportHints {
  return {
    unconditional: values.unconditional,
    state: values.state,
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
 * Loads a model: from a file, from a run directory (its final model, else its newest checkpoint), or a bundled one by its name.
 * @throws {CheckpointError} if there is none or it is damaged.
 */
export async function loadModel(
  context: Context,
  path: string | URL,
  hints: ImportHints,
): Promise<{ model: WideResNet; checkpoint: Checkpoint }> {
  const checkpoint = await readCheckpoint(path, hints);
  return { model: modelFrom(context, checkpoint), checkpoint };
}

/** The file of a bundled model, such as `digits`; undefined if there is none with that name. */
async function bundledModel(name: string): Promise<string | undefined> {
  if (!/^[\w-]+$/.test(name)) return undefined;
  const file = fileURLToPath(new URL(`${name}.safetensors`, bundledModels));
  return await exists(file) ? file : undefined;
}

/** {@link loadModel} without the model. It says on standard error which of several state dicts was taken. */
export async function readCheckpoint(path: string | URL, hints: ImportHints): Promise<ModelFile> {
  const { file, model } = await findModel(path, hints);
  return namedClasses(file, model, hints.dataset);
}

/** A model, whether its classes have names, and the file in which it was found. */
export async function findModel(
  path: string | URL,
  hints: ImportHints,
): Promise<{ readonly file: string; readonly model: ModelFile }> {
  const given = path instanceof URL ? fileURLToPath(path) : path;
  const name = await exists(given) ? given : await bundledModel(given) ?? given;
  try {
    if (!(await Deno.stat(name)).isDirectory) return { file: name, model: await readModel(name, hints) };
    const file = `${name}/model.safetensors`;
    if (await exists(file)) return { file, model: await readModel(file, hints) };
    const newest = await newestCheckpoint(name, (message) => printError(`warning: ${message}`));
    return { file: checkpointPath(name, newest.iteration), model: { ...newest, leftAlone: [] } };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new CheckpointError(`there is no model ${name}`);
    throw error;
  }
}

/**
 * Loads the data set that a model was trained on, or another named one, with its classes matched to the model's. Says
 * which classes have no images.
 * @param folder where it is, if not where it was in training
 * @param named the data set, if not that of training
 * @param report called with what was found in a folder of pictures
 * @throws {DataError} if files are missing or damaged, or the data is not of the model's kind.
 */
export async function loadFitting(
  { configuration, images }: Checkpoint,
  folder: string | undefined,
  named: DatasetName | undefined,
  report: (line: string) => void = () => {},
): Promise<Dataset> {
  const name = named ?? configuration.dataset;
  const isTrained = name === configuration.dataset;
  const dataset = await loadDataset({
    name,
    folder: folder ?? (isTrained ? configuration.dataFolder : null),
    limit: isTrained ? configuration.dataLimit : null,
    imageSize: images.height,
    testShare: configuration.testShare,
    found: (summary) => report(`${name}: ${summary}`),
  });
  const fitted = fitDataset(dataset, images);
  for (const warning of missingClasses(fitted)) printError(`warning: ${warning}`);
  return fitted;
}

/**
 * Checks that a file that names its data set was not said to have another.
 * @throws {CheckpointError} naming both.
 */
export function requireDataset({ configuration }: Checkpoint, named: DatasetName | undefined): void {
  if (named === undefined || named === configuration.dataset) return;
  throw new CheckpointError(
    `the model was trained on ${configuration.dataset}, says the file; leave out --dataset ${named}`,
  );
}

async function readModel(name: string, hints: ImportHints): Promise<ModelFile> {
  try {
    using file = await RegularFile.open(name);
    const model = await readModelFile(file, hints);
    if (model.choice !== undefined) printError(`${name}: ${model.choice}`);
    return model;
  } catch (error) {
    if (error instanceof CheckpointError || error instanceof FormatError) {
      throw new CheckpointError(`${name}: ${error.message}`);
    }
    throw error;
  }
}

/**
 * A checkpoint whose classes get the data set's names, if neither the file nor anyone else names them; or a note about
 * that.
 */
function namedClasses<File extends Checkpoint>(
  path: string,
  checkpoint: File,
  dataset: DatasetName | undefined,
): File {
  const { images: { unnamed, ...format }, configuration } = checkpoint;
  if (!unnamed) return checkpoint;
  if (dataset !== undefined) {
    const images = { ...format, ...classesOf(dataset, format.classNames.length) };
    return { ...checkpoint, configuration: { ...configuration, dataset }, images };
  }
  printError(
    `note: ${path} names no classes; they are taken to be those of ${configuration.dataset}, in its order. ` +
      "--dataset says what it was trained on",
  );
  return checkpoint;
}
