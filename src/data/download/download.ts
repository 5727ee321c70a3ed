import { createHash } from "node:crypto";
import { DataError } from "../../errors.ts";
import { RegularFile } from "../regular_file.ts";
import { named } from "../unpack.ts";
import { alone } from "./download_lock.ts";

/** A file to download. */
export interface Download {
  readonly url: string;
  /** Where it is kept. Only the whole, verified file is ever put there. */
  readonly path: string;
  /** Published checksum, in lower-case hexadecimal digits. */
  readonly md5: string;
  /** Published length, if it is known. */
  readonly bytes?: number | undefined;
  /** Milliseconds without a byte after which a connection counts as broken; a minute by default. */
  readonly patience?: number | undefined;
}

/** Progress of a download. */
export interface DownloadProgress {
  /** Bytes of the file on the disk, including those of earlier calls. */
  readonly received: number;
  /** Length of the whole file, if it was published or the server gives it. */
  readonly total: number | undefined;
  /** Speed since the connection was made. */
  readonly bytesPerSecond: number;
}

type Report = (progress: DownloadProgress) => void;

/** A server's answer: which part of the file its body holds. */
interface Answer {
  readonly response: Response;
  /** Position in the file of the body's first byte. */
  readonly start: number;
  readonly total: number | undefined;
}

/** Attempts in a row without progress before giving up. */
const mostAttempts = 5;
/** Milliseconds without a byte after which a connection counts as broken. */
const longestSilence = 60_000;
/**
 * Where no length is known to hold a server to, an endless answer must not fill the disk. This is more than any data
 * set has.
 */
const largestFile = 2 ** 34;

/** A failure that the next attempt may not meet. */
class Interrupted extends DataError {}

/** The server cannot continue the part that is there. */
class Unresumable extends DataError {}

/** The server sends more than the file has, so what came before is not the file either. */
class TooLong extends DataError {}

/**
 * Downloads a file next to its final name (`.part`), verifies its checksum, and only then gives it that name. A
 * transfer that breaks off is resumed, by this call and by later ones. While another call or process downloads the same
 * file, this one waits.
 * @param signal interrupts the download; the next call uses what has arrived
 * @param backoff milliseconds before the first retry, doubled with each attempt without progress
 * @returns whether it was downloaded now or was there already
 * @throws {DataError} if the server fails or sends anything but that file, or if the file cannot be written.
 */
export async function download(
  what: Download,
  progress?: Report,
  signal?: AbortSignal,
  backoff = 500,
): Promise<"downloaded" | "present"> {
  const { url, path, md5 } = what;
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new DataError(`cannot download ${url}: not a web address; give one with http:// or https://`);
  }
  if (await checksum(path, what.bytes) === md5) return "present";
  const part = `${path}.part`;
  const waiting = async (milliseconds: number) => {
    await pause(milliseconds, signal);
    if (signal?.aborted) throw interrupted(url);
    progress?.({ received: await lengthOf(part), total: what.bytes, bytesPerSecond: 0 });
  };
  return await onDisk(
    path,
    () => alone(path, waiting, () => complete(what, part, progress, signal, backoff)),
  );
}

/** Downloads the missing part of a file, while no other call does. */
async function complete(
  what: Download,
  part: string,
  progress: Report | undefined,
  signal: AbortSignal | undefined,
  backoff: number,
): Promise<"downloaded" | "present"> {
  const { url, path, md5 } = what;
  // Another call may have fetched it meanwhile.
  if (await checksum(path, what.bytes) === md5) return "present";
  // An earlier call may have ended between the last byte and the renaming.
  if (await checksum(part, what.bytes) !== md5) {
    await receiveAll(what, part, progress, signal, backoff);
    const found = await checksum(part);
    if (found !== md5) {
      await discard(part);
      throw new DataError(`${url}: expected MD5 ${md5}, got ${found}; deleted it, run the command again`);
    }
  }
  await onDisk(path, async () => {
    using file = await Deno.open(part, { write: true });
    await file.sync();
    await Deno.rename(part, path);
  });
  return "downloaded";
}

/** Fills the part up to the end of the file, and resumes for as long as that brings progress. */
async function receiveAll(
  what: Download,
  part: string,
  progress: Report | undefined,
  signal: AbortSignal | undefined,
  backoff: number,
): Promise<void> {
  // Compared with the furthest point ever: without ranges each attempt starts over, and may always break at the same
  // place.
  let furthest = await lengthOf(part);
  let fruitless = 0;
  for (let startedOver = false;;) {
    try {
      return await receive(what, part, progress, signal);
    } catch (error) {
      if (error instanceof TooLong) await discard(part);
      if (error instanceof Unresumable && !startedOver) {
        startedOver = true;
        furthest = 0;
        await discard(part);
        continue;
      }
      if (!(error instanceof Interrupted)) throw error;
      const length = await lengthOf(part);
      fruitless = length > furthest ? 0 : fruitless + 1;
      furthest = Math.max(furthest, length);
      if (fruitless >= mostAttempts) {
        throw new DataError(`${error.message}; gave up, run the command again to resume`);
      }
    }
    await pause(backoff * 2 ** Math.max(fruitless - 1, 0), signal);
  }
}

/** One attempt: requests what is missing and appends it to the part. */
async function receive(
  what: Download,
  part: string,
  progress: Report | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { response, start, total } = await ask(what, await lengthOf(part), signal);
  const limit = total ?? largestFile;
  using body = bodyOf(response);
  using file = await onDisk(part, async () => {
    return await Deno.open(part, { write: true, create: true, truncate: start === 0 });
  });
  await onDisk(part, () => file.seek(start, Deno.SeekMode.Start));
  const began = performance.now();
  let received = start;
  for (;;) {
    const piece = await overNetwork(what, signal, body.read);
    if (!piece) break;
    if (received + piece.length > limit) {
      throw new TooLong(
        `${what.url}: the server sends more than the file's ${limit} bytes; check the address`,
      );
    }
    await onDisk(part, () => writeAll(file, piece));
    received += piece.length;
    const seconds = Math.max(performance.now() - began, 1) / 1000;
    progress?.({ received, total, bytesPerSecond: (received - start) / seconds });
  }
  if (total !== undefined && received < total) {
    throw new Interrupted(`${what.url}: the connection ended after ${received} of ${total} bytes`);
  }
}

/** Requests the file from the byte `have` on. Nothing of the answer's body is read yet. */
async function ask(what: Download, have: number, signal: AbortSignal | undefined): Promise<Answer> {
  // Servers may compress unless asked not to. `fetch` then unpacks, and lengths would not match.
  const headers = new Headers({ "accept-encoding": "identity" });
  if (have > 0) headers.set("range", `bytes=${have}-`);
  // Ends the request when this attempt gives up on it, or the user on all of them.
  const ended = new AbortController();
  const until = signal ? AbortSignal.any([signal, ended.signal]) : ended.signal;
  const response = await overNetwork(what, signal, () => fetch(what.url, { headers, signal: until }))
    .catch((error) => {
      ended.abort();
      throw error;
    });
  try {
    return { response, ...extent(what, have, response) };
  } catch (error) {
    // A body that breaks while it is discarded changes nothing.
    await response.body?.cancel().catch(() => {});
    throw error;
  }
}

/** Which bytes of the file an answer holds. Errors and wrong lengths are refused before anything is written. */
function extent({ url, bytes }: Download, have: number, response: Response): Omit<Answer, "response"> {
  const { status, statusText, headers } = response;
  if (status === 416 && have > 0) {
    throw new Unresumable(`${url}: the server has nothing after byte ${have}; run the command again`);
  }
  if (status !== 200 && status !== 206) {
    const message = `${url}: the server answers ${`${status} ${statusText}`.trim()}`;
    throw status >= 500 ? new Interrupted(message) : new DataError(`${message}; check the address`);
  }
  const range = /^bytes (\d+)-\d+\/(?:(\d+)|\*)$/.exec(headers.get("content-range") ?? "");
  if (status === 206 && Number(range?.[1] ?? NaN) !== have) {
    throw new Unresumable(`${url}: the server continues elsewhere than at byte ${have}; download it by hand`);
  }
  const announced = status === 206 ? range?.[2] : headers.get("content-length");
  const total = /^\d+$/.test(announced ?? "") ? Number(announced) : undefined;
  if (bytes !== undefined && total !== undefined && total !== bytes) {
    throw new DataError(`${url}: expected ${bytes} bytes, the server announces ${total}; check the address`);
  }
  return { start: status === 206 ? have : 0, total: bytes ?? total };
}

/**
 * Runs work that talks to the server. Its failures and its silence are worth another attempt, unless the user or a
 * permission ended it.
 */
async function overNetwork<Result>(
  { url, patience = longestSilence }: Download,
  signal: AbortSignal | undefined,
  talk: () => Promise<Result>,
): Promise<Result> {
  try {
    signal?.throwIfAborted();
    return await orSilence(talk(), patience);
  } catch (error) {
    if (signal?.aborted) throw interrupted(url);
    const message = `${url}: ${firstLine(error)}`;
    throw error instanceof Deno.errors.NotCapable ? new DataError(message) : new Interrupted(message);
  }
}

/** The result, unless it takes longer than the given milliseconds. */
async function orSilence<Result>(result: Promise<Result>, patience: number): Promise<Result> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing came for ${patience / 1000} seconds`)), patience);
  });
  try {
    return await Promise.race([result, silence]);
  } finally {
    clearTimeout(timer);
  }
}

/** Runs work on the disk. Its failures concern the file at `path`. */
async function onDisk<Result>(path: string, use: () => Promise<Result>): Promise<Result> {
  try {
    return await use();
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError(`cannot keep a download at ${path}: ${firstLine(error)}; choose another folder`);
  }
}

function interrupted(url: string): DataError {
  return new DataError(`${url}: interrupted; run the command again to resume`);
}

/** The failure on one line. `fetch` gives it as the cause of an error with an empty message. */
function firstLine(error: unknown): string {
  const told = error instanceof TypeError && error.cause instanceof Error ? error.cause : error;
  return String(told instanceof Error ? told.message : told).split("\n", 1)[0]!;
}

/** Reads a response piece by piece, and ends the connection with the attempt, however that ends. */
function bodyOf(response: Response): Disposable & { read(): Promise<Uint8Array | undefined> } {
  const reader = response.body?.getReader();
  return {
    read: async () => (await reader?.read())?.value,
    [Symbol.dispose]: () => void reader?.cancel().catch(() => {}),
  };
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) written += await file.write(bytes.subarray(written));
}

async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  if (signal?.aborted) return;
  await new Promise<void>((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal?.addEventListener("abort", end);
  });
}

/** MD5 of a file, read piece by piece; undefined if there is no such file, or if it is larger than the wanted one. */
async function checksum(path: string, largest = largestFile): Promise<string | undefined> {
  return await ifPresent(path, async () => {
    using file = await named(path, () => RegularFile.open(path));
    if (file.size > largest) return undefined;
    const hash = createHash("md5");
    for await (const piece of file.stream()) hash.update(piece);
    return hash.digest("hex");
  });
}

async function lengthOf(path: string): Promise<number> {
  return await ifPresent(path, async () => (await Deno.stat(path)).size) ?? 0;
}

async function discard(path: string): Promise<void> {
  await ifPresent(path, () => Deno.remove(path));
}

async function ifPresent<Result>(path: string, use: () => Promise<Result>): Promise<Result | undefined> {
  return await onDisk(path, () =>
    use().catch((error) => {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }));
}
