import { CheckpointError } from "../errors.ts";
import { projectPath } from "./command.ts";

/** The project's folder for runs, unless another is named. */
const folder = "runs";

/** A folder for a new run, named after its preset and the local time. */
export function newRunPath(name: string): string {
  const now = new Date();
  const two = (value: number) => String(value).padStart(2, "0");
  const date = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  return `${projectPath(folder)}/${name}-${date}-${two(now.getHours())}${two(now.getMinutes())}${
    two(now.getSeconds())
  }`;
}

/**
 * The run that was started last.
 * @throws {CheckpointError} if there is none.
 */
export async function newestRun(): Promise<string> {
  const root = projectPath(folder);
  let newest: { path: string; time: number } | undefined;
  try {
    for await (const { name } of Deno.readDir(root)) {
      const path = `${root}/${name}`;
      const time = await startOf(path);
      if (time !== undefined && time > (newest?.time ?? -Infinity)) newest = { path, time };
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  if (!newest) throw new CheckpointError(`there is no run in ${root}/; name one with --run-dir`);
  return newest.path;
}

/** When the run in a folder wrote its configuration; undefined if there is none. */
async function startOf(path: string): Promise<number | undefined> {
  try {
    return (await Deno.stat(`${path}/config.json`)).mtime?.getTime();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  }
}
