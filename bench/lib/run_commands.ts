/** Trainings and evaluations by the project's commands, for benches of many runs that can be interrupted. */

import { taskArguments } from "../../scripts/tasks.ts";
import { checkpointNames } from "../../src/train/checkpoint/folder.ts";

/** Runs a command of this project, whose output appears as it is printed. */
export async function command(name: string, ...args: string[]): Promise<void> {
  const { code } = await new Deno.Command("deno", {
    args: [...taskArguments(name), ...args],
    env: { INIT_CWD: Deno.cwd() },
    stdin: "null",
  }).spawn().status;
  if (code !== 0) throw new Error(`${name} ${args.join(" ")} ended with status ${code}`);
}

/** Whether a file or folder exists. */
export async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

/**
 * Trains a run of the digits preset with some settings to its end, unless that has been done. An interrupted run is
 * resumed.
 */
export async function trainDigits(run: string, settings: readonly string[]): Promise<void> {
  if (await exists(`${run}/summary.json`)) return;
  if ((await checkpointNames(run)).length > 0) {
    return await command("train", "--run-dir", run, "--resume");
  }
  // Left by an interruption before the first checkpoint.
  if (await exists(run)) await Deno.remove(run, { recursive: true });
  const options = settings.flatMap((setting) => ["--set", setting]);
  await command("train", "--run-dir", run, "--preset", "digits", ...options);
}
