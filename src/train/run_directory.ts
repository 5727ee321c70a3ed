import { CheckpointError, SadaJemError } from "../errors.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { Conv2dTable } from "../tensor/operations/conv2d/table.ts";
import { type Checkpoint, decodeCheckpoint } from "./checkpoint.ts";
import { type Configuration, parseConfiguration } from "./configuration.ts";
import { writeAtomically } from "./files.ts";
import { superfluousCheckpoints } from "./ladder.ts";
import type { IterationReport } from "./trainer.ts";
import { readTuningIfThere } from "./tuning_file.ts";

const kernelsFile = "kernels.json";
const adaptersFile = "adapters.txt";
const checkpointPattern = /^\d{8}\.safetensors$/;

/**
 * A training run on disk: `config.json`, `data.json`, `adapters.txt`, `metrics.jsonl`, `samples/`, `checkpoints/`,
 * `model.safetensors`, `summary.json`, `kernels.json` if kernels were chosen by a table, and `best.safetensors` if images
 * were held out. One process at a time may hold it; the lock ends with the process, however it ends.
 */
export class RunDirectory implements Disposable {
  readonly #lock: Deno.FsFile;

  private constructor(readonly path: string, lock: Deno.FsFile) {
    this.#lock = lock;
  }

  /**
   * Takes an empty or absent folder for a new run.
   * @param kernels the choices of convolution kernels that the run uses, if not the defaults
   * @throws {CheckpointError} if it holds a run already or is in use.
   */
  static async create(
    path: string,
    configuration: Configuration,
    kernels?: Conv2dTable,
  ): Promise<RunDirectory> {
    await Deno.mkdir(path, { recursive: true });
    const directory = new RunDirectory(path, await lock(path));
    if (await exists(`${path}/config.json`)) {
      directory[Symbol.dispose]();
      throw new CheckpointError(
        `${path} holds a run already: continue it with --resume, or name another folder`,
      );
    }
    await Deno.mkdir(`${path}/checkpoints`, { recursive: true });
    await Deno.mkdir(`${path}/samples`, { recursive: true });
    // Before the configuration, which makes the folder a run: it must never be one with other kernels.
    if (kernels) await directory.writeJson(kernelsFile, kernels);
    else await removeIfThere(directory.file(kernelsFile));
    await removeIfThere(directory.file(adaptersFile));
    await directory.writeJson("config.json", configuration);
    return directory;
  }

  /**
   * Takes the folder of a run to continue it.
   * @throws {CheckpointError} if it holds no run or is in use.
   */
  static async open(path: string): Promise<RunDirectory> {
    if (!await exists(`${path}/config.json`)) {
      throw new CheckpointError(`${path} holds no run to resume (no config.json)`);
    }
    return new RunDirectory(path, await lock(path));
  }

  /**
   * The run's configuration.
   * @throws {ConfigurationError} if `config.json` is not a valid one.
   */
  async configuration(): Promise<Configuration> {
    const text = await Deno.readTextFile(`${this.path}/config.json`);
    return parseConfiguration(parseJson(text, `${this.path}/config.json`));
  }

  /**
   * The choices of convolution kernels that the run was started with; nothing if it uses the defaults.
   * @throws {TuningError} if they cannot be used on this adapter.
   */
  async kernels(gpu: Gpu): Promise<Conv2dTable | undefined> {
    return await readTuningIfThere(this.file(kernelsFile), gpu);
  }

  /**
   * Notes the adapter that computes the run from here on, in a line of `adapters.txt`.
   * @returns the adapter before it, if that was another, fit to be shown
   */
  async noteAdapter(name: string): Promise<string | undefined> {
    const path = this.file(adaptersFile);
    const noted = await exists(path) ? await Deno.readTextFile(path) : "";
    const before = noted.trimEnd().split("\n").at(-1)!;
    if (before === name) return undefined;
    await writeAtomically(path, `${noted}${name}\n`);
    return before === "" ? undefined : before.replaceAll(/\p{Cc}/gu, "").slice(0, 200);
  }

  /** Path of a file in the directory. */
  file(name: string): string {
    return `${this.path}/${name}`;
  }

  /** Writes a JSON file atomically. */
  async writeJson(name: string, value: unknown): Promise<void> {
    await writeAtomically(this.file(name), `${JSON.stringify(value, undefined, 2)}\n`);
  }

  /** Contents of a JSON file that this project wrote, or nothing if there is none. */
  async readJson<Contents>(name: string): Promise<Contents | undefined> {
    if (!await exists(this.file(name))) return undefined;
    return parseJson(await Deno.readTextFile(this.file(name)), this.file(name)) as Contents;
  }

  /**
   * Writes a checkpoint and deletes those that are not needed any more.
   * @param keep the newest ones that are kept
   * @param ladder iterations between those of which some older ones are kept to go back to; 0 for none
   */
  async writeCheckpoint(iteration: number, bytes: Uint8Array, keep: number, ladder: number): Promise<void> {
    await writeAtomically(this.#checkpointFile(iteration), bytes);
    const superfluous = superfluousCheckpoints(await this.checkpoints(), keep, ladder);
    for (const old of superfluous) await Deno.remove(this.#checkpointFile(old));
  }

  /** Iterations of the checkpoints, newest first. */
  async checkpoints(): Promise<number[]> {
    return (await checkpointNames(this.path)).map((name) => Number.parseInt(name));
  }

  /** Deletes the checkpoints of later iterations, newest first, so that they never stand without those before them. */
  async discardCheckpointsAfter(iteration: number): Promise<void> {
    for (const later of (await this.checkpoints()).filter((one) => one > iteration)) {
      await Deno.remove(this.#checkpointFile(later));
    }
  }

  #checkpointFile(iteration: number): string {
    return this.file(`checkpoints/${String(iteration).padStart(8, "0")}.safetensors`);
  }

  /** Appends reports to `metrics.jsonl`, a line each. */
  async appendMetrics(reports: readonly IterationReport[]): Promise<void> {
    const lines = reports.map((report) => `${JSON.stringify(report)}\n`).join("");
    await Deno.writeTextFile(this.file("metrics.jsonl"), lines, { append: true });
  }

  /** Drops the metrics of iterations from `iteration` on, which a resumed run repeats. */
  async truncateMetrics(iteration: number): Promise<void> {
    const path = this.file("metrics.jsonl");
    if (!await exists(path)) return;
    const lines = (await Deno.readTextFile(path)).split("\n").filter((line) => {
      const [, number] = /^\{"iteration":(\d+),.*\}$/.exec(line) ?? [];
      return number !== undefined && Number(number) < iteration;
    });
    await writeAtomically(path, lines.map((line) => `${line}\n`).join(""));
  }

  [Symbol.dispose](): void {
    this.#lock.close();
  }
}

/**
 * The newest checkpoint of a run that is whole.
 * @param skipped called for each newer one that is not
 * @param upTo iteration that it must not be beyond
 * @throws {CheckpointError} if there is none.
 */
export async function newestCheckpoint(
  path: string,
  skipped: (message: string) => void,
  upTo = Infinity,
): Promise<Checkpoint> {
  for (const name of await checkpointNames(path)) {
    if (Number.parseInt(name) > upTo) continue;
    const file = `${path}/checkpoints/${name}`;
    try {
      return decodeCheckpoint(await Deno.readFile(file));
    } catch (error) {
      if (!(error instanceof SadaJemError)) throw error;
      skipped(`${file}: ${error.message}; trying an older one`);
    }
  }
  throw new CheckpointError(`${path} holds no usable checkpoint`);
}

/** JSON from a file. */
export function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CheckpointError(`${path} is not valid JSON: ${(error as Error).message}`);
  }
}

/** Names of a run's checkpoints, newest first. */
export async function checkpointNames(path: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(`${path}/checkpoints`)) {
      if (checkpointPattern.test(name)) names.push(name);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return names.sort().reverse();
}

async function lock(path: string): Promise<Deno.FsFile> {
  const file = await Deno.open(`${path}/lock`, { write: true, create: true });
  if (await file.tryLock(true)) return file;
  file.close();
  throw new CheckpointError(`${path} is in use by another process`);
}

async function removeIfThere(path: string): Promise<void> {
  if (await exists(path)) await Deno.remove(path);
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
