/** The tasks of `deno.json`, for programs that run one of them from another folder. */

import { fileURLToPath } from "node:url";
import configuration from "../deno.json" with { type: "json" };

/** The project's folder, with a slash at the end. */
export const projectFolder: string = fileURLToPath(new URL("../", import.meta.url));

/** The lock file of every package. `deno.lock` has only those that the first commands need. */
export const wholeLock = `${projectFolder}all.lock`;

/** What each task does, in one line, by name. */
export const taskDescriptions: ReadonlyMap<string, string> = new Map(
  Object.entries(configuration.tasks).map(([name, { description }]) => [name, description]),
);

/** The commands of the tasks, by name. */
export const taskCommands: ReadonlyMap<string, string> = new Map(
  Object.entries(configuration.tasks).map(([name, { command }]) => [name, command]),
);

/**
 * The arguments that a task's command gives to `deno`, with absolute paths.
 * @param folder folder of the project, with a slash at the end, for a copy of it elsewhere
 * @throws {RangeError} if there is no such task.
 */
export function taskArguments(task: string, folder: string = projectFolder): string[] {
  const command = taskCommands.get(task);
  if (command === undefined) throw new RangeError(`deno.json has no task ${task}`);
  return command.split(" ").slice(1).map((argument) =>
    argument.replace(/^(--lock=)?(?=\w.*[./])/, (option) => `${option}${folder}`)
  );
}
