/** What a run begins with, or goes on from. */

import { resolve } from "node:path";
import type { Communicator } from "../../distributed/communicator.ts";
import { requireAgreement } from "../../distributed/agreement.ts";
import { shareValue } from "../../distributed/share.ts";
import type { Checkpoint } from "../../train/checkpoint/checkpoint.ts";
import { shareCheckpoint } from "../../train/checkpoint/share.ts";
import { applySetting, type Configuration, parseConfiguration } from "../../train/configuration.ts";
import { changedConfiguration } from "../../train/recovery/changes.ts";
import { RunDirectory } from "../../train/run/run_directory.ts";
import { writeOnly } from "../permissions.ts";
import { configurationOf, type Options, resumedPath, runPath, settingsOf } from "./options.ts";

/** What a run begins with. */
export interface Start {
  /** Where the run is kept. */
  readonly path: string;
  /** With what the options change of it. */
  readonly configuration: Configuration;
  /** Where it goes on; undefined for a new run. */
  readonly checkpoint: Checkpoint | undefined;
  /** The folder of a run that goes on; undefined for a new run, and in processes that write nothing. */
  readonly directory: RunDirectory | undefined;
}

/**
 * Finds out what the options ask for, and gives up the permission to write anything else. The processes of a job take the
 * configuration of a new run from their own options, since they compare configurations before they train.
 * @param note takes a line about what is not as it was left
 */
export async function startOf(
  communicator: Communicator,
  values: Options,
  note: (line: string) => void,
): Promise<Start> {
  return await (values.resume ? resumedStart(communicator, values, note) : newStart(communicator, values));
}

async function newStart({ rank }: Communicator, values: Options): Promise<Start> {
  const configuration = await configurationOf(values);
  const path = runPath(values, configuration);
  await writeOnly({ folders: rank === 0 ? [path] : [] });
  return { path, configuration, checkpoint: undefined, directory: undefined };
}

/** Rank 0 alone needs to see the run's folder. */
async function resumedStart(
  communicator: Communicator,
  values: Options,
  note: (line: string) => void,
): Promise<Start> {
  const isFirst = communicator.rank === 0;
  const folder = isFirst ? await resumedPath(values) : undefined;
  await writeOnly({ folders: folder === undefined ? [] : [folder] });
  await requireAgreement(communicator, { options: values });
  const run = folder === undefined ? undefined : await resumedRun(values, folder, note);
  const { path, configuration } = await shareValue(
    communicator,
    run && { path: run.path, configuration: run.configuration },
  );
  const checkpoint = await shareCheckpoint(communicator, run?.checkpoint);
  return { path, configuration, checkpoint, directory: run?.directory };
}

async function resumedRun(values: Options, path: string, note: (line: string) => void): Promise<Start> {
  const directory = await RunDirectory.open(path);
  const before = await directory.configuration();
  let changed: Record<string, unknown> = before;
  for (const setting of settingsOf(values)) changed = applySetting(changed, setting);
  const after = parseConfiguration(changed);
  const dataFolder = after.dataFolder === null ? null : resolve(after.dataFolder);
  const checkpoint = await directory.resumableCheckpoint(before, note);
  const { iteration, recovery } = checkpoint;
  const at = { iteration, attempts: recovery?.attempts.length ?? 0 };
  const configuration = changedConfiguration(before, { ...after, dataFolder }, at);
  return { path, configuration, checkpoint, directory };
}
