import { StorageError } from "../../errors.ts";

/** How long to keep trying to write a file, in milliseconds. */
const defaultLimit = 600_000;
/** The first pause between two attempts, and the longest. */
const [firstPause, longestPause] = [1000, 30_000];

/** Where {@link writeAtomically} writes a file before it gets its name. */
export function partialPath(path: string): string {
  return `${path}.partial`;
}

/**
 * Writes a file so that a reader, or a crash at any moment, finds either the old contents or the new: written under a
 * temporary name, flushed, renamed, and the folder flushed too.
 * @throws {StorageError} naming the file and its size if it cannot be written; nothing is left of it then.
 */
export async function writeAtomically(path: string, contents: Uint8Array | string): Promise<void> {
  if (path === "") throw new StorageError("cannot write a file: its path is empty");
  const temporary = partialPath(path);
  const bytes = typeof contents === "string" ? new TextEncoder().encode(contents) : contents;
  try {
    await writeFlushed(temporary, bytes);
    await Deno.rename(temporary, path);
  } catch (error) {
    await removeIfThere(temporary).catch(ignoreSystemError);
    const problem = systemProblem(error);
    if (problem === undefined) throw error;
    throw new StorageError(`cannot write ${path} (${bytes.length.toLocaleString("en")} bytes): ${problem}`);
  }
  await flushFolder(path.replace(/[^/\\]*$/, "") || ".");
}

async function writeFlushed(path: string, bytes: Uint8Array): Promise<void> {
  using file = await Deno.open(path, { write: true, create: true, truncate: true });
  await writeAll(file, bytes);
  await file.sync();
}

/** Writes all bytes at a file's position. */
export async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) written += await file.write(bytes.subarray(written));
}

/** Makes a rename survive a power cut, as far as the system can flush a folder; Windows cannot. */
async function flushFolder(path: string): Promise<void> {
  if (Deno.build.os === "windows") return;
  try {
    using folder = await Deno.open(path, { read: true });
    await folder.sync();
  } catch (error) {
    ignoreSystemError(error);
  }
}

/** How to keep trying to write. */
export interface Patience {
  /** Takes a line when waiting starts and when it ends. */
  readonly tell: (line: string) => void;
  /** How long to keep trying, in milliseconds; 0 for once. */
  readonly limit?: number | undefined;
  /** Waits for a number of milliseconds. */
  readonly pause?: (milliseconds: number) => Promise<void>;
}

/**
 * Repeats an action that writes while the disk is full or a folder is gone, because what is in memory took longer to
 * compute than a user needs to make room.
 * @throws {StorageError} of the last attempt, when the time is up.
 */
export async function persistently(
  write: () => Promise<void>,
  { tell, limit = defaultLimit, pause = delay }: Patience,
): Promise<void> {
  let waited = 0;
  for (let next = firstPause;; next = Math.min(2 * next, longestPause)) {
    try {
      await write();
      if (waited > 0) tell(`written after ${waited / 1000} s of waiting`);
      return;
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      if (limit === 0) throw error;
      if (waited >= limit) {
        throw new StorageError(`${error.message}; gave up after ${waited / 1000} s`);
      }
      if (waited === 0) tell(`warning: ${error.message}; trying again for ${limit / 1000} s`);
    }
    const pauseNow = Math.min(next, limit - waited);
    await pause(pauseNow);
    waited += pauseNow;
  }
}

/** The system's error about a file, without the path and number that Deno adds; undefined for any other error. */
export function systemProblem(error: unknown): string | undefined {
  if (!(error instanceof Error) || error instanceof Deno.errors.NotCapable) return undefined;
  const isSystem = /\(os error \d+\)/.test(error.message) ||
    Object.values(Deno.errors).some((kind) => error instanceof kind);
  return isSystem ? error.message.replace(/ \(os error \d+\).*$/s, "") : undefined;
}

/** Ignores the system's error about a file; throws any other error. */
export function ignoreSystemError(error: unknown): void {
  if (systemProblem(error) === undefined && !(error instanceof Deno.errors.NotCapable)) throw error;
}

/** Removes a file unless there is none. */
export async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/**
 * Makes a folder inside an existing one, in case somebody removed it. A failure shows when the folder is written to.
 */
export async function makeFolder(path: string): Promise<void> {
  await Deno.mkdir(path).catch(ignoreSystemError);
}

/** A JSON file's text. */
export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

/** Whether a file or folder with this name exists. */
export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
