import { CheckpointError, SadaJemError } from "../../errors.ts";
import { type Checkpoint, decodeCheckpoint, requireFinite, requireTrainingState } from "./checkpoint.ts";
import type { Configuration } from "../configuration.ts";
import {
  configurationDifferences,
  dataDifferences,
  type Difference,
  differencesText,
} from "../run/differences.ts";
import type { DataDescription } from "../../data/description.ts";
import { RegularFile } from "../../data/regular_file.ts";
import {
  ignoreSystemError,
  makeFolder,
  removeIfThere,
  systemProblem,
  writeAtomically,
} from "../run/files.ts";
import { superfluousCheckpoints } from "./ladder.ts";
import type { Best } from "./run_record.ts";

const checkpointPattern = /^\d{8}\.safetensors$/;
const bestPattern = /^best-\d{8}\.safetensors$/;

/** Path of a checkpoint of a run. */
export function checkpointPath(run: string, iteration: number): string {
  return `${run}/checkpoints/${fileName(iteration)}`;
}

/** Path at which the best model by held-out images stays while a checkpoint names it. */
export function bestPath(run: string, { iteration }: Best): string {
  return `${run}/checkpoints/best-${fileName(iteration)}`;
}

function fileName(iteration: number): string {
  return `${String(iteration).padStart(8, "0")}.safetensors`;
}

/** Names of a run's checkpoints, newest first. */
export async function checkpointNames(run: string): Promise<string[]> {
  return await namesLike(run, checkpointPattern);
}

async function namesLike(run: string, pattern: RegExp): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(`${run}/checkpoints`)) if (pattern.test(name)) names.push(name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return names.sort().reverse();
}

/** The options that decide which checkpoints are kept: the newest ones, and with `recover` a ladder of older ones. */
export type Keeping = Pick<Configuration, "keepCheckpoints" | "recover" | "checkpointEvery">;

/**
 * Writes a checkpoint, then deletes those that are no longer needed, and best models that no remaining one names.
 * @throws {StorageError} if it cannot be written; the others then stay.
 */
export async function writeCheckpoint(
  run: string,
  iteration: number,
  bytes: Uint8Array,
  keeping: Keeping,
): Promise<void> {
  await makeFolder(`${run}/checkpoints`);
  await writeAtomically(checkpointPath(run, iteration), bytes);
  await removeOldCheckpoints(run, iteration, keeping);
}

/**
 * Deletes the checkpoints up to an iteration that are no longer needed, and best models that no remaining one names.
 */
export async function removeOldCheckpoints(
  run: string,
  iteration: number,
  { keepCheckpoints, recover, checkpointEvery }: Keeping,
): Promise<void> {
  const written = (await checkpointNames(run)).map((name) => Number.parseInt(name))
    .filter((one) => one <= iteration);
  const superfluous = superfluousCheckpoints(written, keepCheckpoints, recover > 0 ? checkpointEvery : 0);
  const kept = written.filter((one) => !superfluous.includes(one));
  const best = (await namesLike(run, bestPattern)).filter((name) => name <= `best-${fileName(iteration)}`);
  // A checkpoint names the newest best model up to its iteration.
  const named = new Set(kept.map((one) => best.find((name) => name <= `best-${fileName(one)}`)));
  const namedByNone = best.filter((name) => !named.has(name));
  for (const name of [...superfluous.map(fileName), ...namedByNone]) {
    await removeIfThere(`${run}/checkpoints/${name}`).catch(ignoreSystemError);
  }
}

/**
 * Deletes checkpoints and best models of later iterations, newest first, so that none ever remains without those before
 * it.
 */
export async function discardCheckpointsAfter(run: string, iteration: number): Promise<void> {
  const later = (await checkpointNames(run)).filter((name) => name > fileName(iteration));
  for (const name of later) await Deno.remove(`${run}/checkpoints/${name}`);
  await discardBestAfter(run, iteration);
}

async function discardBestAfter(run: string, iteration: number): Promise<void> {
  const later = (await namesLike(run, bestPattern)).filter((name) => name > `best-${fileName(iteration)}`);
  for (const name of later) await removeIfThere(`${run}/checkpoints/${name}`).catch(ignoreSystemError);
}

/**
 * Renames whatever has the place of newer checkpoints, so that it is neither in the way nor taken for the newest one.
 * Deletes best models of later iterations.
 * @returns the new paths
 */
export async function setNewerAside(run: string, iteration: number): Promise<string[]> {
  const aside: string[] = [];
  for (const name of (await checkpointNames(run)).filter((name) => name > fileName(iteration))) {
    const path = `${run}/checkpoints/${name}`;
    await Deno.remove(`${path}.unusable`, { recursive: true }).catch(ignoreSystemError);
    await Deno.rename(path, `${path}.unusable`);
    aside.push(`${path}.unusable`);
  }
  await discardBestAfter(run, iteration);
  return aside;
}

/**
 * The newest checkpoint of a run that is complete and finite.
 * @param skipped called for each newer one that is not
 * @param upTo latest allowed iteration
 * @throws {CheckpointError} if there is none.
 */
export async function newestCheckpoint(
  run: string,
  skipped: (message: string) => void,
  upTo = Infinity,
): Promise<Checkpoint> {
  for await (const { checkpoint } of wholeCheckpoints(run, skipped, upTo)) return checkpoint;
  throw noneUsable(run);
}

/** The identity of a run, which tells its checkpoints from those of others. */
export interface RunIdentity {
  readonly configuration: Configuration;
  /** The data that it started with, if known. */
  readonly data?: DataDescription | undefined;
}

/**
 * The checkpoint to continue a run from: the newest that is complete, finite and the run's own. One whose configuration
 * differs in an option that changes numbers, such as the learning rate, is taken only if all of them do: then the run's
 * configuration was edited; otherwise the checkpoint belongs to another run.
 * @param note takes one line for each skipped checkpoint, and one for every difference to the configuration
 * @throws {CheckpointError} if there is none.
 */
export async function resumableCheckpoint(
  run: string,
  { configuration, data }: RunIdentity,
  note: (line: string) => void,
): Promise<Checkpoint> {
  const passedOver = (line: string) => note(`warning: ${line}`);
  let edited: { checkpoint: Checkpoint; differences: readonly Difference[] } | undefined;
  const others: string[] = [];
  for await (const { path, checkpoint } of wholeCheckpoints(run, passedOver)) {
    const differences = configurationDifferences(checkpoint.configuration, configuration);
    const foreign = stranger(checkpoint, differences, data);
    if (foreign !== undefined) {
      passedOver(`${path}: ${foreign}; trying an older one`);
    } else if (differences.every(({ kind }) => kind === "conduct")) {
      for (const line of others) passedOver(line);
      return noted(checkpoint, differences, note);
    } else {
      edited ??= { checkpoint, differences };
      others.push(`${path} belongs to another run: ${inFile(differences)}; trying an older one`);
    }
  }
  if (!edited) throw noneUsable(run);
  return noted(edited.checkpoint, edited.differences, note);
}

function noted(
  checkpoint: Checkpoint,
  differences: readonly Difference[],
  note: (line: string) => void,
): Checkpoint {
  const numbers = differences.some(({ kind }) => kind === "numbers");
  if (differences.length > 0) {
    const prefix = numbers ? "warning: config.json was changed" : "note: config.json was changed";
    const suffix = numbers ? "; the result is not that of either alone" : "";
    note(`${prefix}: ${inFile(differences)}, which is used from here on${suffix}`);
  }
  if (!checkpoint.verified) note("note: the checkpoint has no checksum; damage to it would go unnoticed");
  return checkpoint;
}

function inFile(differences: readonly Difference[]): string {
  return differencesText(differences, "in the checkpoint", "in config.json");
}

/** Why a checkpoint cannot belong to this run; undefined if it can. */
function stranger(
  checkpoint: Checkpoint,
  differences: readonly Difference[],
  data: DataDescription | undefined,
): string | undefined {
  const other = differences.filter(({ kind }) => kind === "identity");
  if (other.length > 0) return `it belongs to another run: ${inFile(other)}`;
  const theirs = checkpoint.record?.data;
  const otherData = data && theirs ? dataDifferences(theirs, data) : [];
  if (otherData.length > 0) return `it belongs to a run on other data: ${otherData.join(", ")}`;
  try {
    requireTrainingState(checkpoint);
  } catch (error) {
    if (error instanceof CheckpointError) return error.message;
    throw error;
  }
  return undefined;
}

/**
 * A run's checkpoints that are complete and finite, newest first, with their paths. A line is noted for each of the
 * others.
 */
async function* wholeCheckpoints(
  run: string,
  skipped: (message: string) => void,
  upTo = Infinity,
): AsyncGenerator<{ readonly path: string; readonly checkpoint: Checkpoint }> {
  for (const name of (await checkpointNames(run)).filter((name) => Number.parseInt(name) <= upTo)) {
    const path = `${run}/checkpoints/${name}`;
    const read = await readWhole(path, Number.parseInt(name));
    if (typeof read === "string") skipped(`${path}: ${read}; trying an older one`);
    else yield { path, checkpoint: read };
  }
}

/** A checkpoint, or the reason why it cannot be used. */
async function readWhole(path: string, iteration: number): Promise<Checkpoint | string> {
  try {
    using file = await RegularFile.open(path);
    const checkpoint = await decodeCheckpoint(file);
    requireFinite(checkpoint);
    return checkpoint.iteration === iteration ? checkpoint : `it is of iteration ${checkpoint.iteration}`;
  } catch (error) {
    const problem = error instanceof SadaJemError ? error.message : systemProblem(error);
    if (problem === undefined) throw error;
    return problem;
  }
}

/** The model in a file, if the file exists and is complete. */
export async function readModelIfWhole(path: string): Promise<Checkpoint | undefined> {
  try {
    using file = await RegularFile.open(path);
    return await decodeCheckpoint(file);
  } catch (error) {
    if (error instanceof SadaJemError || systemProblem(error) !== undefined) return undefined;
    throw error;
  }
}

function noneUsable(run: string): CheckpointError {
  return new CheckpointError(`${run} holds no usable checkpoint; start it again in another folder`);
}
