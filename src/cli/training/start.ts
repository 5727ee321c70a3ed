/** What a run begins with, or goes on from; rank 0 of a job finds it, and tells the others. */

import { resolve } from "node:path";
import type { Communicator } from "../../distributed/communicator.ts";
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
 * Finds out what the options ask for, and gives up the permission to write anything else.
 * @param note takes a line about what is not as it was left
 */
export async function startOf(
  communicator: Communicator,
  values: Options,
  note: (line: string) => void,
): Promise<Start> {
  const found = communicator.rank === 0 ? await find(values, note) : await findNothing();
  const told = found && { path: found.path, configuration: found.configuration };
  const { path, configuration } = await shareValue(communicator, told);
  const checkpoint = values.resume ? await shareCheckpoint(communicator, found?.checkpoint) : undefined;
  return { path, configuration, checkpoint, directory: found?.directory };
}

async function find(values: Options, note: (line: string) => void): Promise<Start> {
  const chosen = values.resume ? undefined : await configurationOf(values);
  const path = chosen ? runPath(values, chosen) : await resumedPath(values);
  await writeOnly({ folders: [path] });
  if (chosen) return { path, configuration: chosen, checkpoint: undefined, directory: undefined };
  return await resumedRun(values, path, note);
}

async function findNothing(): Promise<undefined> {
  await writeOnly({});
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
