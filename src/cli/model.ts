import { CheckpointError } from "../errors.ts";
import type { WideResNet } from "../nn/wide_resnet.ts";
import type { Context } from "../tensor/context.ts";
import { type Checkpoint, decodeCheckpoint, restoreModel } from "../train/checkpoint.ts";
import { newestCheckpoint } from "../train/run_directory.ts";
import { buildModel } from "../train/build.ts";
import { printError } from "./command.ts";

/** The digits model that comes with the project. */
export const shippedModel = new URL("../../data/models/digits.safetensors", import.meta.url);

/**
 * Loads a model: from a file, or from a run directory (its final model, else its newest checkpoint).
 * @throws {CheckpointError} if there is none or it is damaged.
 */
export async function loadModel(
  context: Context,
  path: string | URL,
): Promise<{ model: WideResNet; checkpoint: Checkpoint }> {
  const checkpoint = await readCheckpoint(path);
  const model = buildModel(context, checkpoint.configuration, checkpoint.images);
  restoreModel(model, checkpoint);
  return { model, checkpoint };
}

async function readCheckpoint(path: string | URL): Promise<Checkpoint> {
  const name = path instanceof URL ? path.pathname : path;
  try {
    if (!(await Deno.stat(path)).isDirectory) return decodeNamed(name, await Deno.readFile(path));
    const model = await readIfThere(`${name}/model.safetensors`);
    if (model) return decodeNamed(`${name}/model.safetensors`, model);
    return await newestCheckpoint(name, (message) => printError(`warning: ${message}`));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new CheckpointError(`there is no model ${name}`);
    throw error;
  }
}

function decodeNamed(name: string, bytes: Uint8Array): Checkpoint {
  try {
    return decodeCheckpoint(bytes);
  } catch (error) {
    if (error instanceof CheckpointError) throw new CheckpointError(`${name}: ${error.message}`);
    throw error;
  }
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
