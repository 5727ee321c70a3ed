import { readRegularFile } from "../../data/regular_file.ts";
import { CheckpointError } from "../../errors.ts";

/** The holder of a run, according to the lock file. */
export interface Holder {
  readonly process: number;
  /** The holder's computer, if known. */
  readonly host?: string | undefined;
  /** When it took the run, as an ISO date. */
  readonly since: string;
}

/** How often a lock shows that it is alive, in milliseconds. */
const beatInterval = 10_000;
/** A lock that has shown no life for this long is abandoned: nothing that a run waits for takes longer. */
const staleAfter = 600_000;

/** Most bytes of a lock file. */
const longestHolder = 1000;

/** The open lock file, and whether the system holds a lock on it. */
interface Taken {
  readonly file: Deno.FsFile;
  readonly locked: boolean;
}

/** Locks files, like the system or as a test needs it. */
export type TryLock = (file: Deno.FsFile) => Promise<boolean>;

/**
 * Limits a run to one process at a time, while this one lives. Three things do that, because each may fail: a lock on
 * the file `lock`, which ends with the process, however that ends; a lock on the folder, which remains if that file is
 * deleted; and the file's modification time, on file systems that lock nothing.
 */
export class RunLock implements Disposable {
  readonly #path: string;
  readonly #holder: Holder;
  readonly #tryLock: TryLock;
  readonly #folder: Deno.FsFile | undefined;
  #taken: Taken;
  #beat = performance.now();

  private constructor(
    path: string,
    holder: Holder,
    tryLock: TryLock,
    taken: Taken,
    folder: Deno.FsFile | undefined,
  ) {
    this.#path = path;
    this.#holder = holder;
    this.#tryLock = tryLock;
    this.#taken = taken;
    this.#folder = folder;
  }

  /**
   * Takes the run in a folder.
   * @throws {CheckpointError} naming the process that holds it, if there is one.
   */
  static async take(folder: string, tryLock: TryLock = (file) => file.tryLock(true)): Promise<RunLock> {
    const path = `${folder}/lock`;
    const held = await lockFolder(folder, path, tryLock);
    try {
      const taken = await lockFile(path, tryLock);
      const holder = { process: Deno.pid, host: await hostName(), since: new Date().toISOString() };
      await writeHolder(taken.file, holder);
      return new RunLock(path, holder, tryLock, taken, held);
    } catch (error) {
      held?.close();
      throw error;
    }
  }

  /**
   * Checks that the run still belongs to this process, and shows that it is alive. Deleting the file frees the run only
   * if nothing else holds it; the file is made anew.
   * @throws {CheckpointError} if another process has taken the run.
   */
  async check(): Promise<void> {
    const { file, locked } = this.#taken;
    if (!await isAt(file, this.#path)) {
      this.#taken = await lockFile(this.#path, this.#tryLock);
      file.close();
      await writeHolder(this.#taken.file, this.#holder);
    } else if (!locked) {
      const holder = await readHolder(this.#path);
      if (holder?.since !== this.#holder.since || holder.process !== this.#holder.process) {
        throw inUse(this.#path, holder, locked);
      }
    }
    if (performance.now() - this.#beat < beatInterval) return;
    await this.#taken.file.utime(new Date(), new Date());
    this.#beat = performance.now();
  }

  /** Releases the run. */
  [Symbol.dispose](): void {
    // An empty file says that nobody holds the run, where the system locks nothing.
    this.#taken.file.truncateSync();
    this.#taken.file.close();
    this.#folder?.close();
  }
}

/** Locks the folder itself, if the system can. */
async function lockFolder(
  folder: string,
  path: string,
  tryLock: TryLock,
): Promise<Deno.FsFile | undefined> {
  if (Deno.build.os === "windows") return undefined;
  const file = await Deno.open(folder, { read: true });
  const locked = await orUndefined(tryLock(file));
  if (locked) return file;
  file.close();
  if (locked === undefined) return undefined;
  throw inUse(path, await readHolder(path), true);
}

/** Opens and locks the file; if the system locks nothing, its contents count as the lock. */
async function lockFile(path: string, tryLock: TryLock): Promise<Taken> {
  const file = await Deno.open(path, { read: true, write: true, create: true });
  const locked = await orUndefined(tryLock(file));
  if (locked && await isAt(file, path)) return { file, locked };
  const holder = await readHolder(path);
  const { mtime } = await file.stat();
  const alive = holder !== undefined && Date.now() - (mtime?.getTime() ?? 0) < staleAfter;
  if (locked === undefined && !alive) return { file, locked: false };
  file.close();
  throw inUse(path, holder, locked !== undefined);
}

/** Undefined if the system refuses altogether, for example NFS without its lock service, or folders there. */
async function orUndefined(locked: Promise<boolean>): Promise<boolean | undefined> {
  try {
    return await locked;
  } catch (error) {
    if (error instanceof Error && /\(os error \d+\)/.test(error.message)) return undefined;
    throw error;
  }
}

/** Whether an open file is the one at a path. */
async function isAt(file: Deno.FsFile, path: string): Promise<boolean> {
  try {
    const [open, there] = await Promise.all([file.stat(), Deno.stat(path)]);
    return open.ino === there.ino && open.dev === there.dev;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function writeHolder(file: Deno.FsFile, holder: Holder): Promise<void> {
  await file.truncate();
  await file.seek(0, Deno.SeekMode.Start);
  await file.write(new TextEncoder().encode(`${JSON.stringify(holder)}\n`));
}

/** What a lock file says; undefined if it says nothing, as in earlier versions, or nothing readable. */
async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    const text = new TextDecoder().decode(await readRegularFile(path, longestHolder));
    const { process, host, since } = JSON.parse(text) as Holder;
    const isText = (value: unknown) => typeof value === "string" && /^[\w.:-]{1,80}$/.test(value);
    if (!Number.isSafeInteger(process) || !isText(since)) return undefined;
    return { process, since, ...(isText(host) && { host }) };
  } catch {
    return undefined;
  }
}

function inUse(path: string, holder: Holder | undefined, locked: boolean): CheckpointError {
  const folder = path.replace(/\/lock$/, "");
  const host = holder?.host ? ` on ${holder.host}` : "";
  const who = holder ? `: ${holder.process}${host}, since ${holder.since}` : "";
  const advice = locked ? "" : `; if that has ended, delete ${path}, or wait for ten minutes`;
  return new CheckpointError(`${folder} is in use by another process${who}${advice}`);
}

/** The name of this computer, as far as a file gives it that programs may read without further permissions. */
async function hostName(): Promise<string | undefined> {
  try {
    return (await Deno.readTextFile("/etc/hostname")).trim();
  } catch {
    return undefined;
  }
}
