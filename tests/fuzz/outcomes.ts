/** Runs the reader of hostile files in separate processes, and watches their time and memory. */

import assert from "node:assert/strict";
import { projectFolder } from "../../scripts/tasks.ts";
import type { HostileKind, Outcome } from "./hostile_reader.ts";

/** Processor time, because a busy machine takes longer for the same work. */
const mostSeconds = 4;
const mostBytes = 512 * 2 ** 20;
/** Memory of a Deno process with all modules loaded, before it reads anything. */
const idleBytes = 128 * 2 ** 20;
/** A process that waits for a pipe waits forever. */
const longestWait = 300_000;

/**
 * The outcomes of reading files.
 * @param folder the only one that may be read and written
 */
export async function outcomesOf(
  folder: string,
  files: readonly (readonly [kind: HostileKind, path: string])[],
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  while (outcomes.length < files.length) {
    const left = files.slice(outcomes.length);
    const more = await read(folder, left.flat());
    assert(more.length > 0, `the process that read ${left[0]![1]} ended`);
    outcomes.push(...more);
  }
  return outcomes;
}

async function read(folder: string, args: readonly string[]): Promise<Outcome[]> {
  const flags = ["--lock=all.lock", "--no-check", "--v8-flags=--expose-gc"];
  const permissions = [`--allow-read=${folder},/dev/zero`, `--allow-write=${folder}`, "--allow-run=cat"];
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", ...flags, ...permissions, "tests/fuzz/hostile_reader.ts", ...args],
    cwd: projectFolder,
    signal: AbortSignal.timeout(longestWait),
  }).output();
  assert.equal(new TextDecoder().decode(stderr), "");
  const lines = new TextDecoder().decode(stdout).split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line));
}

/** What is wrong with an outcome, if anything. */
export function wrongIn(outcome: Outcome): string[] {
  const { refusal = "", expected, seconds, peak } = outcome;
  return [
    expected ? "" : `not refused on purpose: ${refusal}`,
    refusal.includes("\n") || refusal.length > 500 ? `more than a line: ${refusal.slice(0, 600)}` : "",
    seconds > mostSeconds ? `${seconds} seconds` : "",
    peak > idleBytes + mostBytes ? `${Math.round(peak / 2 ** 20)} MiB` : "",
  ].filter((text) => text !== "");
}
