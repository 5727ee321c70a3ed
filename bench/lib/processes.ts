/** Shared by the benches: cases in processes of their own, and files of results. */

import { dirname } from "node:path";
import { projectFolder, wholeLock } from "../../scripts/tasks.ts";

/** A script below `bench/`, and what its process gets. */
export interface Script {
  readonly script: string;
  /** Deno's flags. */
  readonly permissions: readonly string[];
  /** Variables besides those of this process. */
  readonly env?: Record<string, string>;
}

/** Runs a script in its own process and returns what it printed as JSON. */
export async function measureProcess<Result>(
  { script, permissions, env = {} }: Script,
  ...args: string[]
): Promise<Result> {
  const { code, stdout, stderr } = await new Deno.Command("deno", {
    args: [
      ...["run", "--quiet", `--lock=${wholeLock}`, ...permissions],
      ...[`${projectFolder}bench/${script}`, ...args],
    ],
    env,
    stdout: "piped",
    stderr: "piped",
  }).output();
  if (code !== 0) throw new Error(`${script} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** Where results with this name are kept, relative to the project. */
export function resultsFile(name: string): string {
  return `bench/results/${name.toLowerCase().replaceAll(/[^a-z0-9.]+/g, "-").replaceAll(/^-|-$/g, "")}.json`;
}

/** Writes results. */
export async function saveResults(file: string, results: unknown): Promise<void> {
  const path = `${projectFolder}${file}`;
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.writeTextFile(path, `${JSON.stringify(results, undefined, 2)}\n`);
}
