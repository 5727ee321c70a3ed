/** How a run starts or resumes. */

import { resolve } from "node:path";
import type { Communicator } from "../../distributed/communicator.ts";
import { requireAgreement } from "../../distributed/agreement.ts";
import { shareValue } from "../../distributed/share.ts";
import { ConfigurationError } from "../../errors.ts";
import type { Checkpoint } from "../../train/checkpoint/checkpoint.ts";
import { shareCheckpoint } from "../../train/checkpoint/share.ts";
import { applySetting, type Configuration, parseConfiguration } from "../../train/configuration.ts";
import type { Origin } from "../../train/origin.ts";
import { changedConfiguration } from "../../train/recovery/changes.ts";
import { RunDirectory } from "../../train/run/run_directory.ts";
import { UsageError } from "../command.ts";
import { writeOnly } from "../permissions.ts";
import { choiceOf, type Options, resumedPath, runPath, settingsOf } from "./options.ts";
import { type Beginning, beginningFrom } from "./origin.ts";

/** The start of a run. */
export interface Start {
  /** Where the run is kept. */
  readonly path: string;
  /** The configuration, with the options' changes. */
  readonly configuration: Configuration;
  /** The checkpoint to continue from; undefined for a new run. */
  readonly checkpoint: Checkpoint | undefined;
  /** The folder of a resumed run; undefined for a new run, and in processes that write nothing. */
  readonly directory: RunDirectory | undefined;
  /** The model that a new run starts from, if there is one. */
  readonly beginning?: Beginning | undefined;
}

/**
 * Finds out what the options ask for, and gives up the permission to write anything else. The processes of a job take
 * the configuration of a new run from their own options, because they compare configurations before they train.
 * @param note takes a line about anything that has changed
 */
export async function startOf(
  communicator: Communicator,
  values: Options,
  note: (line: string) => void,
): Promise<Start> {
  return await (values.resume ? resumedStart(communicator, values, note) : newStart(communicator, values));
}

async function newStart(communicator: Communicator, values: Options): Promise<Start> {
  const { from, state } = values;
  if (state !== undefined && from === undefined) throw new UsageError("--state is of use with --from only");
  const choice = await choiceOf(values);
  const { configuration: chosen } = choice;
  if (chosen.origin && from === undefined) throw new ConfigurationError(originMissing(values, chosen.origin));
  const path = runPath(values, chosen);
  await writeOnly({ folders: communicator.rank === 0 ? [path] : [] });
  await requireAgreement(communicator, { options: { from, state } });
  const beginning = from === undefined ? undefined : await beginningFrom(communicator, from, state, choice);
  const configuration = beginning?.configuration ?? chosen;
  return { path, configuration, checkpoint: undefined, directory: undefined, beginning };
}

/** Without its model the configuration of a run would define another run. */
function originMissing({ config }: Options, { path }: Origin): string {
  return `${config} is of a run that began with the model in ${path}; name one to begin with (--from ${path}), or take ` +
    `"origin" out of the file`;
}

/** Only rank 0 needs to see the run's folder. */
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
