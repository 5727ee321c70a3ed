/** A run as seen by a mere reader: nothing outside its folder, and without holding the run. */

import { readRegularFile, RegularFile } from "../../data/regular_file.ts";
import { CheckpointError, FormatError } from "../../errors.ts";
import { crc32Text } from "../../formats/archives/crc32.ts";
import { ignoreSystemError } from "./files.ts";
import { imagesPerIteration, plannedIterations } from "./run_plan.ts";
import type { RunState } from "./run_state.ts";

/** Where a run stands. */
export interface RunStatus {
  readonly state: RunState;
  /** What it learns, in a few words. */
  readonly about: string;
  /** Length of the run; null if unknown. */
  readonly iterations: number | null;
  /** Number of real images in an iteration; null if unknown. */
  readonly imagesPerIteration: number | null;
  /** Number of classes in its data; null if unknown. */
  readonly classes: number | null;
  /** Bytes of `metrics.jsonl`, and when it was last changed, in milliseconds. */
  readonly metrics: { readonly bytes: number; readonly changed: number };
  /** Iterations with a picture of the replay buffer. */
  readonly pictures: readonly number[];
}

/** Some lines of `metrics.jsonl`. */
export interface MetricsPiece {
  /** Where they begin: at 0, or where the reader stopped. */
  readonly from: number;
  /** Where the next ones begin. */
  readonly next: number;
  /** Distinguishes what comes before `next` from a file in its place. */
  readonly mark: string;
  /** Bytes after `next` that have no line's end yet. */
  readonly unfinished: number;
  /** Whether there are more lines already. */
  readonly more: boolean;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Most bytes of `metrics.jsonl` in one piece. */
const pieceBytes = 2 ** 20;
/** Bytes before a position that tell whether the file is still the same. */
const markedBytes = 512;
/** Most bytes of the run's small files. */
const textBytes = 2 ** 20;
/** Most bytes of a picture: a hundred images of 64×64 pixels in three colours have 1.2 MB uncompressed. */
const pictureBytes = 2 ** 23;
/** Most pictures in a list, the newest ones. */
const mostPictures = 10_000;
/** A run that has written something within this many milliseconds counts as alive. */
const freshWithin = 30_000;

/** Reads one run. */
export class RunView {
  /** Modification time of a lock whose process is gone. */
  #left: number | undefined;
  /** When the lock was last tried. */
  #tried = -Infinity;

  private constructor(readonly folder: string) {}

  /**
   * Opens the run in a folder. A link is followed here, once.
   * @throws {CheckpointError} if it holds no run.
   */
  static async open(path: string): Promise<RunView> {
    const folder = await Deno.realPath(path).catch((error) => void ignoreSystemError(error));
    const view = folder === undefined ? undefined : new RunView(folder);
    if (await view?.changed("config.json") === undefined) {
      throw new CheckpointError(`${path} holds no run to watch (no config.json)`);
    }
    return view!;
  }

  /** When a file of the run was last modified, in milliseconds; undefined if there is none. */
  async changed(name: string): Promise<number | undefined> {
    return (await this.#stat(name))?.mtime?.getTime();
  }

  async status(): Promise<RunStatus> {
    const [configuration, data, summary] = await Promise.all(
      ["config.json", "data.json", "summary.json"].map((name) => this.#json(name)),
    );
    const metrics = await this.#stat("metrics.jsonl");
    const { dataset, depth, width } = configuration!;
    const network = typeof depth === "number" && typeof width === "number" ? `WRN-${depth}-${width}` : "";
    const { classes } = data!;
    const { iterations: done } = summary!;
    const iterations = plannedIterations(configuration!, data!);
    const isComplete = typeof done === "number" && (iterations === undefined || done >= iterations);
    const isFinished = isComplete && (iterations !== undefined || !await this.#isRunning());
    return {
      state: isFinished ? "finished" : await this.#isRunning() ? "running" : "stopped",
      about: [typeof dataset === "string" ? dataset : "", network].filter((part) => part !== "").join(", "),
      iterations: iterations ?? null,
      imagesPerIteration: imagesPerIteration(configuration!) ?? null,
      classes: typeof classes === "number" ? classes : null,
      metrics: { bytes: metrics?.size ?? 0, changed: metrics?.mtime?.getTime() ?? 0 },
      pictures: await this.#pictures(),
    };
  }

  /**
   * The lines of `metrics.jsonl` from a position on, up to the size of a piece; from the beginning if the file has been
   * replaced.
   * @param mark the mark of the piece that ended there
   */
  async metrics(from: number, mark: string): Promise<MetricsPiece> {
    using file = await this.#open("metrics.jsonl");
    if (!file) return { from: 0, next: 0, mark: "", unfinished: 0, more: false, bytes: new Uint8Array() };
    const inode = String((await this.#stat("metrics.jsonl"))?.ino ?? "");
    const markAt = (place: number) =>
      `${inode}.${crc32Text(file.read(Math.max(0, place - markedBytes), place))}`;
    const begin = from > 0 && from <= file.size && mark === markAt(from) ? from : 0;
    const bytes = file.read(begin, Math.min(file.size, begin + pieceBytes));
    const end = bytes.lastIndexOf("\n".charCodeAt(0)) + 1;
    // A piece without the end of a line is not text of ours. The reader counts it.
    const length = end === 0 && bytes.length === pieceBytes ? pieceBytes : end;
    const next = begin + length;
    const isWhole = bytes.length < pieceBytes;
    return {
      from: begin,
      next,
      mark: markAt(next),
      unfinished: isWhole ? file.size - next : 0,
      more: !isWhole,
      bytes: bytes.slice(0, length),
    };
  }

  /** The picture of the replay buffer at an iteration; undefined if there is none. */
  async picture(iteration: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return await this.#read(`samples/${String(iteration).padStart(8, "0")}.png`, pictureBytes);
  }

  /** Iterations of the pictures, ascending. */
  async #pictures(): Promise<number[]> {
    const folder = await this.#inside("samples");
    if (folder === undefined) return [];
    const iterations: number[] = [];
    try {
      for await (const { name, isFile } of Deno.readDir(folder)) {
        if (isFile && /^\d{8,15}\.png$/.test(name)) iterations.push(Number.parseInt(name));
      }
    } catch (error) {
      ignoreSystemError(error);
    }
    return iterations.sort((a, b) => a - b).slice(-mostPictures);
  }

  /**
   * Whether a process holds the run. One that ends empties the lock file; if it was killed, the system has freed the
   * file. The lock is tried only if the run shows no life, because a training that starts at that very moment would be
   * refused.
   */
  async #isRunning(): Promise<boolean> {
    const lock = await this.#stat("lock");
    const locked = lock?.mtime?.getTime();
    if (!lock || lock.size === 0 || locked === undefined || locked === this.#left) return false;
    const newest = Math.max(locked, await this.changed("metrics.jsonl") ?? 0);
    const now = Date.now();
    if (now - newest < freshWithin || now - this.#tried < freshWithin) return true;
    this.#tried = now;
    if (!await this.#isFree()) return true;
    this.#left = locked;
    return false;
  }

  async #isFree(): Promise<boolean> {
    const path = await this.#inside("lock");
    if (path === undefined) return true;
    try {
      using file = await Deno.open(path);
      // Closing the file frees it.
      return await file.tryLock(false);
    } catch (error) {
      ignoreSystemError(error);
      return false;
    }
  }

  /** A file's path after all links; undefined if there is none, or if it lies outside the run's folder. */
  async #inside(name: string): Promise<string | undefined> {
    try {
      const path = await Deno.realPath(`${this.folder}/${name}`);
      return path.startsWith(`${this.folder}/`) ? path : undefined;
    } catch (error) {
      ignoreSystemError(error);
      return undefined;
    }
  }

  async #stat(name: string): Promise<Deno.FileInfo | undefined> {
    const path = await this.#inside(name);
    if (path === undefined) return undefined;
    const info = await Deno.stat(path).catch((error) => void ignoreSystemError(error));
    return info?.isFile ? info : undefined;
  }

  async #open(name: string): Promise<RegularFile | undefined> {
    const path = await this.#inside(name);
    return path === undefined ? undefined : await whatIsThere(RegularFile.open(path));
  }

  async #read(name: string, mostBytes: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const path = await this.#inside(name);
    return path === undefined ? undefined : await whatIsThere(readRegularFile(path, mostBytes));
  }

  /** A JSON file's object; an empty one if there is none. */
  async #json(name: string): Promise<Readonly<Record<string, unknown>>> {
    const bytes = await this.#read(name, textBytes);
    if (!bytes) return {};
    try {
      const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
      return typeof value === "object" && value !== null ? value as Record<string, unknown> : {};
    } catch {
      return {};
    }
  }
}

/** The contents; undefined if the system refuses them, or it is not a regular file of that size. */
async function whatIsThere<Contents>(reading: Promise<Contents>): Promise<Contents | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (!(error instanceof FormatError)) ignoreSystemError(error);
    return undefined;
  }
}
