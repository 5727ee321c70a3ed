/** The runs that are watched, by the names in the page's requests. */

import { basename } from "node:path";
import { CheckpointError } from "../../src/errors.ts";
import { ignoreSystemError } from "../../src/train/run/files.ts";
import { RunView } from "../../src/train/run/run_view.ts";

/** Most runs of a folder that are shown, the newest ones. */
const mostRuns = 100;

/** Finds the current runs, newest first, by name. */
export type WatchedRuns = () => Promise<ReadonlyMap<string, RunView>>;

/**
 * The given runs, and no others.
 * @param paths their folders
 * @throws {CheckpointError} if one of them holds no run.
 */
export async function givenRuns(paths: readonly string[]): Promise<WatchedRuns> {
  const runs = new Map<string, RunView>();
  for (const path of paths) {
    const run = await RunView.open(path);
    const isSame = runs.values().some(({ folder }) => folder === run.folder);
    if (isSame) continue;
    const name = basename(run.folder);
    runs.set(runs.has(name) ? run.folder : name, run);
  }
  return () => Promise.resolve(runs);
}

/** The runs in a folder, including later ones. A link that leads out of the folder is not one of its runs. */
export function runsIn(folder: string): WatchedRuns {
  const known = new Map<string, RunView>();
  return async () => {
    const found = await foldersIn(folder);
    const runs: { name: string; run: RunView; began: number }[] = [];
    for (const [name, path] of found) {
      const run = known.get(path) ?? await RunView.open(path).catch(notYet);
      const began = await run?.changed("config.json");
      if (!run || began === undefined) {
        known.delete(path);
        continue;
      }
      known.set(path, run);
      runs.push({ name, run, began });
    }
    for (const path of known.keys()) if (!found.values().some((one) => one === path)) known.delete(path);
    runs.sort((a, b) => b.began - a.began || (a.name < b.name ? -1 : 1));
    return new Map(runs.slice(0, mostRuns).map(({ name, run }) => [name, run]));
  };
}

/** The folders directly in a folder, with links resolved. */
async function foldersIn(folder: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  try {
    const root = await Deno.realPath(folder);
    for await (const { name, isFile } of Deno.readDir(root)) {
      if (isFile) continue;
      const path = await Deno.realPath(`${root}/${name}`).catch((error) => void ignoreSystemError(error));
      if (path?.startsWith(`${root}/`)) found.set(name, path);
    }
  } catch (error) {
    ignoreSystemError(error);
  }
  return found;
}

/** A folder without a run, which may become one. */
function notYet(error: unknown): undefined {
  if (error instanceof CheckpointError) return undefined;
  throw error;
}
