/** The curves of a run on disk. */

import { RegularFile } from "../../data/regular_file.ts";
import { FormatError } from "../../errors.ts";
import { type EmbeddedRun, embeddedRun } from "./embedded_run.ts";
import { MetricsReader } from "./metrics_reader.ts";
import { readJson } from "./run_directory.ts";
import { imagesPerIteration } from "./run_plan.ts";

/** Buckets of a curve on a page: about two points for each pixel of a chart. */
const mostBuckets = 256;

/** The curves of a run for a page, and what could not be read. */
export interface RunCurves {
  readonly run: EmbeddedRun;
  /** Number of iterations that the curves reach. */
  readonly rows: number;
  /** Number of lines of `metrics.jsonl` that are not rows. */
  readonly damaged: number;
}

/**
 * The curves of the run in a folder; undefined if there are none.
 * @param name name of the run in the curves
 * @throws {FormatError} if `metrics.jsonl` is not a regular file.
 */
export async function runCurves(folder: string, name: string): Promise<RunCurves | undefined> {
  const path = `${folder}/metrics.jsonl`;
  const reader = new MetricsReader({
    imagesPerIteration: imagesPerIteration(await jsonIfThere(`${folder}/config.json`)),
    mostBuckets,
  });
  try {
    const file = await RegularFile.open(path);
    for await (const text of file.stream().pipeThrough(new TextDecoderStream())) reader.push(text);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error instanceof FormatError ? new FormatError(`${path}: ${error.message}`) : error;
  }
  reader.end();
  if (reader.rows === 0) return undefined;
  return { run: embeddedRun(name, reader), rows: reader.last.iteration + 1, damaged: reader.damaged };
}

/** A JSON file's object; an empty one if it cannot be read. */
async function jsonIfThere(path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    const value = await readJson(path);
    return typeof value === "object" && value !== null ? value as Record<string, unknown> : {};
  } catch {
    return {};
  }
}
