/** The model that a new run starts from. */

import { createHash } from "node:crypto";
import { datasetFormats } from "../../data/formats.ts";
import { RegularFile } from "../../data/regular_file.ts";
import type { Communicator } from "../../distributed/communicator.ts";
import { shareValue } from "../../distributed/share.ts";
import { CheckpointError } from "../../errors.ts";
import { type Checkpoint, modelOnly, requireFinite } from "../../train/checkpoint/checkpoint.ts";
import type { ImportHints } from "../../train/checkpoint/import.ts";
import { shareCheckpoint } from "../../train/checkpoint/share.ts";
import type { Configuration } from "../../train/configuration.ts";
import { configurationFrom, type Origin } from "../../train/origin.ts";
import type { Choice } from "../configuration.ts";
import { findModel } from "../model.ts";

/** A model to start from, and the run's configuration with it. */
export interface Beginning {
  readonly model: Checkpoint;
  readonly configuration: Configuration;
  /** Names of what else the file holds; empty on ranks other than 0. */
  readonly leftAlone: readonly string[];
}

/**
 * Reads a model on rank 0, for all ranks of a job.
 * @param path as the user named it
 * @param state the state dict to take, if the file holds several
 * @throws {CheckpointError} if it is damaged, or there is none.
 * @throws {ConfigurationError} if given options contradict the model.
 */
export async function beginningFrom(
  communicator: Communicator,
  path: string,
  state: string | undefined,
  { configuration, given }: Choice,
): Promise<Beginning> {
  const read = communicator.rank === 0
    ? await readOrigin(path, hintsOf(state, { configuration, given }))
    : undefined;
  const origin = await shareValue(communicator, read?.origin);
  const model = await shareCheckpoint(communicator, read?.model);
  const leftAlone = read?.leftAlone ?? [];
  return { model, configuration: configurationFrom(origin, model, configuration, given), leftAlone };
}

/** What the options say about a file that does not say it itself. */
function hintsOf(state: string | undefined, { configuration, given }: Choice): ImportHints {
  const { dataset, imageSize, norm } = configuration;
  const side = datasetFormats.get(dataset)?.side ?? (given.has("imageSize") ? imageSize : undefined);
  return { state, norm: given.has("norm") ? norm : undefined, usedOn: { dataset, imageSize: side } };
}

interface ReadOrigin {
  readonly origin: Origin;
  readonly model: Checkpoint;
  readonly leftAlone: readonly string[];
}

async function readOrigin(path: string, hints: ImportHints): Promise<ReadOrigin> {
  const { file, model: found } = await findModel(path, hints);
  const model = modelOnly(found);
  try {
    requireFinite(model);
  } catch (error) {
    throw error instanceof CheckpointError ? new CheckpointError(`${file}: ${error.message}`) : error;
  }
  return { origin: { path, sha256: await sha256Of(file) }, model, leftAlone: found.leftAlone };
}

/** The SHA-256 of a file, in hexadecimal. */
async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  using file = await RegularFile.open(path);
  for await (const piece of file.stream()) hash.update(piece);
  return hash.digest("hex");
}
