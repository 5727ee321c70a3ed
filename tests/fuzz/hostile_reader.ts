/**
 * Reads the given files one after the other, until one takes much memory. Prints a line of JSON for each: the outcome,
 * the processor time, and the most memory that the process has had so far.
 */

import process from "node:process";
import { sampleHistory } from "../../src/cli/sample_history.ts";
import { loadCifar10 } from "../../src/data/cifar.ts";
import { loadDataset } from "../../src/data/load.ts";
import { loadMnist } from "../../src/data/mnist.ts";
import { loadPictures } from "../../src/data/pictures/image_folder.ts";
import { readRegularFile, RegularFile } from "../../src/data/regular_file.ts";
import { loadSvhn } from "../../src/data/svhn.ts";
import { SadaJemError } from "../../src/errors.ts";
import { mostPictureBytes } from "../../src/formats/budget.ts";
import { parseNpz } from "../../src/formats/npz.ts";
import { decodePicture } from "../../src/formats/pictures/picture.ts";
import { newestCheckpoint } from "../../src/train/checkpoint/folder.ts";
import { readModelFile } from "../../src/train/checkpoint/import.ts";
import { MetricsFile } from "../../src/train/run/metrics_file.ts";
import { readJson } from "../../src/train/run/run_directory.ts";

/** A process that has used more memory ends after its file, so that the next file has a peak of its own. */
const mostKept = 256 * 2 ** 20;

/** Readers by kind of file. A file of a data set is in its own folder. */
const readers = {
  model: async (path: string) => void await opened(path, readModelFile),
  picture: async (path: string) => void decodePicture(await readRegularFile(path, mostPictureBytes)),
  npz: async (path: string) => void await opened(path, (file) => parseNpz(file, ["0", "a", "mu"])),
  digits: async (path: string) => void await loadDataset({ name: "digits", folder: folderOf(path) }),
  mnist: async (path: string) => void await loadMnist(folderOf(path), true),
  svhn: async (path: string) => void await loadSvhn(folderOf(path), true),
  cifar10: async (path: string) => void await loadCifar10(folderOf(path), true),
  images: async (path: string) => void await loadPictures(folderOf(path), 32, 1),
  run: async (path: string) => void await newestCheckpoint(folderOf(folderOf(path)), () => {}),
  metrics: async (path: string) => void await new MetricsFile(path).rewind(10, undefined),
  JSON: async (path: string) => void await readJson(path),
  history: async (path: string) => void await sampleHistory(folderOf(folderOf(path))),
} as const;

export type HostileKind = keyof typeof readers;

export interface Outcome {
  /** Why the file was refused. Undefined if it was read. */
  readonly refusal?: string;
  /** Whether the project refused it with an error that it throws on purpose. */
  readonly expected: boolean;
  /** Seconds of processor time. */
  readonly seconds: number;
  /** The most bytes that the process has had, over all files so far. */
  readonly peak: number;
}

async function opened<Result>(path: string, read: (file: RegularFile) => Promise<Result>): Promise<Result> {
  using file = await RegularFile.open(path);
  return await read(file);
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

function seconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

async function outcome(kind: HostileKind, path: string): Promise<Outcome> {
  const start = seconds();
  let refusal: { refusal: string; expected: boolean } | undefined;
  try {
    await readers[kind](path);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    refusal = { refusal: text, expected: error instanceof SadaJemError };
  }
  return { expected: true, ...refusal, seconds: seconds() - start, peak: peakBytes() };
}

/**
 * The most memory that this process has had. `getrusage` starts from the value of the parent process. Linux reports the
 * process's own value, but only programs with fewer restrictions than this one may read it.
 */
function peakBytes(): number {
  if (Deno.build.os !== "linux") return process.resourceUsage().maxRSS * 1024;
  const { stdout } = new Deno.Command("cat", { args: [`/proc/${Deno.pid}/status`] }).outputSync();
  return 1024 * Number(/^VmHWM:\s+(\d+) kB$/m.exec(new TextDecoder().decode(stdout))![1]);
}

if (import.meta.main) {
  for (let i = 0; i < Deno.args.length; i += 2) {
    // Memory left over from the previous file must not count for this one.
    (globalThis as { gc?: () => void }).gc?.();
    const [kind, path] = [Deno.args[i] as HostileKind, Deno.args[i + 1]!];
    const came = await outcome(kind, path);
    // deno-lint-ignore no-console -- the lines are how it answers
    console.log(JSON.stringify(came));
    if (came.peak > mostKept) break;
  }
}
