/** Files of runs as far as they are the same whenever the same run is computed. */

/** Rows of `metrics.jsonl` without their times. Checkpoints hold them like this, and earlier versions wrote them so. */
export function timeless(rows: string): string {
  return rows.replaceAll(/"seconds":[\d.]+,/g, "");
}

/** A file of a run without the times that it holds. */
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
