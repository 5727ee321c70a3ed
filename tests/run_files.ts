/** The parts of a run's files that are the same each time the run is computed. */

/** Rows of `metrics.jsonl` without their times. Checkpoints hold such rows, and earlier versions wrote such files. */
export function timeless(rows: string): string {
  return rows.replaceAll(/"seconds":[\d.]+,/g, "");
}

/** A file of a run without its times. */
export async function reproducible(path: string): Promise<Uint8Array> {
  const bytes = await Deno.readFile(path);
  if (!path.endsWith("/metrics.jsonl")) return bytes;
  return new TextEncoder().encode(timeless(new TextDecoder().decode(bytes)));
}

/** The iterations that rows of `metrics.jsonl` report, in the file's order. */
export function reportedIterations(rows: string): number[] {
  return rows.trim().split("\n").map((line) => JSON.parse(line)).filter((row) => row.set === undefined)
    .map((row) => row.iteration);
}
