/** Only one download of a file at a time, among all processes. */

/** Milliseconds between two checks whether another download has ended. */
const interval = 500;

/**
 * Runs an action while no other process or call runs one for the same path, after the others. The lock ends with the
 * process, however that ends. Neither the lock nor a folder made for it stays, unless the folder holds something.
 * @param waiting called before each further check while another has the lock; may throw to give up
 */
export async function alone<Result>(
  path: string,
  waiting: (milliseconds: number) => Promise<void>,
  action: () => Promise<Result>,
): Promise<Result> {
  const name = `${path}.lock`;
  const made = await makeFolders(path);
  const file = await locked(name, waiting);
  try {
    return await action();
  } finally {
    // Removed while it is locked. Whoever waits for it checks whether it is still there.
    await Deno.remove(name).catch(() => {});
    file.close();
    for (const folder of made) await Deno.remove(folder).catch(() => {});
  }
}

async function locked(
  name: string,
  waiting: (milliseconds: number) => Promise<void>,
): Promise<Deno.FsFile> {
  for (;;) {
    await makeFolders(name);
    // Opening a named pipe for both does not wait.
    const file = await Deno.open(name, { read: true, write: true, create: true });
    try {
      while (!await file.tryLock(true)) await waiting(interval);
    } catch (error) {
      file.close();
      throw error;
    }
    const [own, there] = [await file.stat(), await Deno.stat(name).catch(() => undefined)];
    if (there && there.ino === own.ino) return file;
    file.close();
  }
}

/** Makes the folders above a path. Returns those that were not there, the deepest first. */
async function makeFolders(path: string): Promise<string[]> {
  const missing: string[] = [];
  for (let end = parentEnd(path); end > 0; end = parentEnd(path.slice(0, end))) {
    const folder = path.slice(0, end);
    if (await Deno.stat(folder).then(() => true, () => false)) break;
    missing.push(folder);
  }
  if (missing[0] !== undefined) await Deno.mkdir(missing[0], { recursive: true });
  return missing;
}

function parentEnd(path: string): number {
  return Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
}
