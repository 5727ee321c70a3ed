/** What a command may still write, or read, once it knows its arguments. */

import { parse, resolve } from "node:path";
import { partialPath } from "../train/run/files.ts";

/** What a command is going to write. */
export interface Outputs {
  /** Files that are written whole; undefined ones were not requested. */
  readonly files?: readonly (string | undefined)[];
  /** Folders, with everything in them. They need not exist yet. */
  readonly folders?: readonly string[];
}

/**
 * Gives up writing anywhere but to the outputs, until the process ends. Whatever then reads the files of others,
 * packages included, cannot touch anything else. Links that exist in an output's folder are followed; none can be made.
 *
 * The tasks of `deno.json` allow writing below the root (`--allow-write=/`), because a task cannot know its arguments.
 * Deno can revoke a path that a flag names, and keep those below it that were requested one by one. It cannot do so
 * with the plain `--allow-write`, under which this changes nothing.
 */
export async function writeOnly({ files = [], folders = [] }: Outputs): Promise<void> {
  const named = files.filter((file) => file !== undefined);
  for (const path of [...named, ...named.map(partialPath), ...folders]) {
    await Deno.permissions.request({ name: "write", path: resolve(path) });
  }
  await Deno.permissions.revoke({ name: "write", path: parse(Deno.cwd()).root });
}

/**
 * Gives up reading anything but some folders, until the process ends, where the task allows reading by `--allow-read=/`.
 * @param folders with everything in them
 */
export async function readOnlyIn(folders: readonly string[]): Promise<void> {
  for (const path of folders) await Deno.permissions.request({ name: "read", path: resolve(path) });
  await Deno.permissions.revoke({ name: "read", path: parse(Deno.cwd()).root });
}
