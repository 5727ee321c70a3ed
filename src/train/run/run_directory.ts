import type { DataDescription } from "../../data/description.ts";
import { readShortText } from "../../data/regular_file.ts";
import { CheckpointError } from "../../errors.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import type { Conv2dTable } from "../../tensor/operations/conv2d/table.ts";
import { BestModel } from "./best_model.ts";
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import {
  checkpointNames,
  discardCheckpointsAfter,
  type Keeping,
  readModelIfWhole,
  removeOldCheckpoints,
  resumableCheckpoint,
  setNewerAside,
  writeCheckpoint,
} from "../checkpoint/folder.ts";
import { type Configuration, parseConfiguration } from "../configuration.ts";
import { dataDifferences } from "./differences.ts";
import {
  exists,
  ignoreSystemError,
  jsonText,
  makeFolder,
  persistently,
  removeIfThere,
  writeAtomically,
} from "./files.ts";
import { MetricsFile } from "./metrics_file.ts";
import { RunLock } from "./run_lock.ts";
import type { RunRecord } from "../checkpoint/run_record.ts";
import { readTuningIfThere } from "../tuning_file.ts";

const kernelsFile = "kernels.json";
const adaptersFile = "adapters.txt";
/** Describes the data that a run is trained on. */
const dataFile = "data.json";
const metricsFile = "metrics.jsonl";
/** Files of an earlier run that a new one must not take for its own. */
const leftByRuns = [metricsFile, "summary.json", "model.safetensors", "best.safetensors", "best.json"];

/**
 * A training run on disk: `config.json`, `data.json`, `adapters.txt`, `metrics.jsonl`, `samples/`, `checkpoints/`,
 * `model.safetensors`, `summary.json`, `curves.html`, `kernels.json` if kernels were chosen by a table, and
 * `best.safetensors` if images were held out. One process at a time may hold it. The lock ends with the process,
 * however that ends.
 */
export class RunDirectory implements Disposable {
  readonly metrics: MetricsFile;
  readonly best: BestModel;
  readonly #lock: RunLock;
  /** How long to keep trying to write, if not as long as usual. */
  readonly #patience: { limit?: number } = {};
  #data: DataDescription | undefined;
  /** The adapter that computed everything so far. */
  #adapter: string | undefined;

  private constructor(readonly path: string, lock: RunLock) {
    this.#lock = lock;
    this.metrics = new MetricsFile(this.file(metricsFile));
    this.best = new BestModel(path, this.#patience);
  }

  /**
   * Takes a folder for a new run: one that is missing or empty, or left by a run that ended before its first
   * checkpoint.
   * @param kernels the choices of convolution kernels that the run uses, if not the defaults
   * @throws {CheckpointError} if it already holds a run, or what one has left, or is in use.
   */
  static async create(
    path: string,
    configuration: Configuration,
    kernels?: Conv2dTable,
  ): Promise<RunDirectory> {
    requirePath(path);
    await Deno.mkdir(path, { recursive: true });
    const directory = new RunDirectory(path, await RunLock.take(path));
    try {
      await requireFree(path);
      await removePartialFiles(path);
      await Deno.mkdir(`${path}/checkpoints`, { recursive: true });
      await Deno.mkdir(`${path}/samples`, { recursive: true });
      // Before the configuration, which makes the folder a run: it must never be one with other kernels.
      if (kernels) await directory.writeJson(kernelsFile, kernels);
      else await removeIfThere(directory.file(kernelsFile));
      await removeIfThere(directory.file(adaptersFile));
      await removeIfThere(directory.file(dataFile));
      await directory.writeJson("config.json", configuration);
      return directory;
    } catch (error) {
      directory[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Takes the folder of a run to continue it.
   * @throws {CheckpointError} if it holds no run, or is in use.
   */
  static async open(path: string): Promise<RunDirectory> {
    requirePath(path);
    if (!await exists(`${path}/config.json`)) {
      throw new CheckpointError(`${path} holds no run to resume (no config.json)`);
    }
    const directory = new RunDirectory(path, await RunLock.take(path));
    await removePartialFiles(path);
    return directory;
  }

  /**
   * The run's configuration.
   * @throws {ConfigurationError} if `config.json` is not a valid one.
   */
  async configuration(): Promise<Configuration> {
    return parseConfiguration(await readJson(this.file("config.json")));
  }

  /**
   * The choices of convolution kernels that the run was started with; undefined if it uses the defaults.
   * @throws {TuningError} if they cannot be used on this adapter.
   */
  async kernels(gpu: Gpu): Promise<Conv2dTable | undefined> {
    return await readTuningIfThere(this.file(kernelsFile), gpu);
  }

  /**
   * Notes the adapter that computes the run from here on, in a line of `adapters.txt`.
   * @returns the adapter before it, by that file or by the checkpoint, if it was another one, in printable form
   */
  async noteAdapter(name: string): Promise<string | undefined> {
    const path = this.file(adaptersFile);
    const noted = await exists(path) ? await readShortText(path) : "";
    const last = noted.trimEnd().split("\n").at(-1)!;
    const before = [last, this.#adapter ?? ""].find((one) => one !== "" && one !== name);
    this.#adapter = name;
    if (last !== name) await writeAtomically(path, `${noted}${name}\n`);
    return before?.replaceAll(/\p{Cc}/gu, "").slice(0, 200);
  }

  /**
   * Checks that no other process has taken the run.
   * @throws {CheckpointError} if one has.
   */
  async requireHeld(): Promise<void> {
    await this.#lock.check();
  }

  /** Path of a file in the directory. */
  file(name: string): string {
    return `${this.path}/${name}`;
  }

  /**
   * Keeps a description of the data of a new run.
   * @returns how the data of a resumed run differ from those it started with
   */
  async noteData(data: DataDescription): Promise<string[]> {
    this.#data = await this.readJson<DataDescription>(dataFile);
    if (this.#data) return dataDifferences(this.#data, data);
    this.#data = data;
    await this.writeJson(dataFile, data);
    return [];
  }

  /** Writes a JSON file atomically. */
  async writeJson(name: string, value: unknown): Promise<void> {
    await writeAtomically(this.file(name), jsonText(value));
  }

  /** Contents of a JSON file that this project wrote; undefined if there is none. */
  async readJson<Contents>(name: string): Promise<Contents | undefined> {
    if (!await exists(this.file(name))) return undefined;
    return await readJson(this.file(name)) as Contents;
  }

  /**
   * The checkpoint to continue from, {@link resumableCheckpoint}.
   */
  async resumableCheckpoint(
    configuration: Configuration,
    note: (line: string) => void,
  ): Promise<Checkpoint> {
    if ((await checkpointNames(this.path)).length === 0) {
      throw new CheckpointError(
        `${this.path} holds no checkpoint: the run ended before its first one; start it again without --resume`,
      );
    }
    const data = await this.readJson<DataDescription>(dataFile);
    return await resumableCheckpoint(this.path, { configuration, data }, note);
  }

  /**
   * Restores the folder to its state at a checkpoint: its metrics, its best model, and no newer checkpoints.
   * @param note takes a line about anything out of order
   */
  async rewind(checkpoint: Checkpoint, note: (line: string) => void): Promise<void> {
    const { iteration, configuration } = checkpoint;
    await this.forgetAfter(checkpoint, note);
    for (const path of await setNewerAside(this.path, iteration)) {
      note(`note: what could not be used is now ${path}`);
    }
    this.#adapter = checkpoint.record?.adapter;
    // A process may have ended between writing a checkpoint and this.
    await removeOldCheckpoints(this.path, iteration, configuration);
  }

  /**
   * Restores metrics and best model to their state at a checkpoint.
   * @param note takes a line about anything out of order
   */
  async forgetAfter(checkpoint: Checkpoint, note: (line: string) => void): Promise<void> {
    const { iteration, record = {} } = checkpoint;
    for (const line of await this.metrics.rewind(iteration, record.metrics)) note(`warning: ${line}`);
    await this.best.rewind(checkpoint, note);
  }

  /** Iterations of the checkpoints, newest first. */
  async checkpoints(): Promise<number[]> {
    return (await checkpointNames(this.path)).map((name) => Number.parseInt(name));
  }

  /** Deletes the checkpoints of later iterations. */
  async discardCheckpointsAfter(iteration: number): Promise<void> {
    await discardCheckpointsAfter(this.path, iteration);
  }

  /** What the checkpoint of an iteration holds besides the trainer's state. */
  recordAt(iteration: number): RunRecord {
    return {
      data: this.#data,
      best: this.best.noted,
      adapter: this.#adapter,
      metrics: this.metrics.recentBelow(iteration),
    };
  }

  /**
   * Writes a checkpoint and deletes those that are no longer needed.
   * @param keeping says which are kept
   * @param tell takes a line if the disk is full or the folder gone
   * @throws {StorageError} after ten minutes in which it could not be written, or {@link giveUpAtOnce at once}.
   */
  async writeCheckpoint(
    iteration: number,
    bytes: Uint8Array,
    keeping: Keeping,
    tell: (line: string) => void,
  ): Promise<void> {
    await persistently(() => writeCheckpoint(this.path, iteration, bytes, keeping), {
      tell,
      ...this.#patience,
    });
  }

  /**
   * Writes a file of the run, for as long as it takes to make room for it.
   * @throws {StorageError} after ten minutes in which it could not be written, or {@link giveUpAtOnce at once}.
   */
  async writePersistently(
    name: string,
    contents: Uint8Array | string,
    tell: (line: string) => void,
  ): Promise<void> {
    await persistently(() => writeAtomically(this.file(name), contents), { tell, ...this.#patience });
  }

  /**
   * From now on a run ends at once when its files cannot be written. In a job the other processes would wait, with
   * their GPUs.
   */
  giveUpAtOnce(): void {
    this.#patience.limit = 0;
  }

  /** Path of the picture of an iteration's samples. */
  samplesPath(iteration: number): string {
    return this.file(`samples/${String(iteration).padStart(8, "0")}.png`);
  }

  /**
   * Writes the picture of an iteration's samples.
   * @throws {StorageError} if it cannot be written.
   */
  async writeSamples(iteration: number, png: Uint8Array): Promise<void> {
    await makeFolder(this.file("samples"));
    await writeAtomically(this.samplesPath(iteration), png);
  }

  /** Whether `model.safetensors` is the complete model of an iteration. */
  async holdsModel(iteration: number): Promise<boolean> {
    return (await readModelIfWhole(this.file("model.safetensors")))?.iteration === iteration;
  }

  [Symbol.dispose](): void {
    this.#lock[Symbol.dispose]();
  }
}

/**
 * Reads a JSON file.
 * @throws {CheckpointError} if it is not one.
 * @throws {FormatError} if it is larger than any that this project writes, or is not a regular file.
 */
export async function readJson(path: string): Promise<unknown> {
  return parseJson(await readShortText(path), path);
}

/** JSON from a file. */
export function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CheckpointError(`${path} is not valid JSON: ${(error as Error).message}`);
  }
}

function requirePath(path: string): void {
  if (path === "") throw new CheckpointError("the path of the run is empty");
}

/** Checks that a folder holds no run, or one that ended before its first checkpoint, of which nothing is lost. */
async function requireFree(path: string): Promise<void> {
  const checkpoints = (await checkpointNames(path)).map((name) => `checkpoints/${name}`);
  const present: string[] = [];
  for (const name of leftByRuns) if (await exists(`${path}/${name}`)) present.push(name);
  const [left] = [...checkpoints, ...present];
  if (left === undefined) return;
  throw new CheckpointError(
    await exists(`${path}/config.json`)
      ? `${path} holds a run already: continue it with --resume, or name another folder`
      : `${path} holds what another run has left (${left}): delete that, or name another folder`,
  );
}

/** Left by an interrupted write. */
async function removePartialFiles(path: string): Promise<void> {
  for (const folder of [path, `${path}/checkpoints`, `${path}/samples`]) {
    try {
      for await (const { name, isDirectory } of Deno.readDir(folder)) {
        if (name.endsWith(".partial") && !isDirectory) await removeIfThere(`${folder}/${name}`);
      }
    } catch (error) {
      // A missing folder, or something else in its place, shows when it is needed.
      ignoreSystemError(error);
    }
  }
}
