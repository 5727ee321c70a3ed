import { createHash } from "node:crypto";
import { DataError } from "../errors.ts";
import { exists } from "./files.ts";

/** A file to download. */
export interface Download {
  readonly url: string;
  /** Where it is kept; nothing is ever under this name but the whole file. */
  readonly path: string;
  /** Published checksum, in lower-case hexadecimal digits. */
  readonly md5: string;
  /** Published length, if there is one. */
  readonly bytes?: number | undefined;
}

/** How far a download is. */
export interface DownloadProgress {
  readonly received: number;
  /** Length of the file, if the server says it. */
  readonly total: number | undefined;
  readonly bytesPerSecond: number;
}

/** How {@link download} goes about it. */
export interface DownloadOptions {
  readonly progress?: (progress: DownloadProgress) => void;
  readonly signal?: AbortSignal;
  /** Milliseconds before the first repetition, doubled with each; 500 by default. */
  readonly patience?: number;
}

/** Attempts without a single new byte before giving up. */
const mostAttempts = 5;
const defaultPatience = 500;
/** More than any data set; a server that sends on and on must not fill the disk. */
const largestFile = 2 ** 36;

/** A failure that another attempt may not have. */
class Interrupted extends DataError {}

/**
 * Downloads a file, verifies its checksum and only then gives it its name. A broken download is resumed, in the same call
 * and in later ones.
 * @returns whether it was downloaded or was there already
 * @throws {DataError} if the server fails or sends something else; what is right so far is kept for the next call.
 */
export async function download(
  file: Download,
  options: DownloadOptions = {},
): Promise<"downloaded" | "present"> {
  const { path, url, md5 } = file;
  if (!/^https?:/.test(url)) throw new DataError(`${url} is no web address`);
  if (await exists(path) && await checksum(path) === md5) return "present";
  await Deno.mkdir(path.replace(/[^/\\]*$/, "") || ".", { recursive: true });
  const part = `${path}.part`;
  await complete(file, part, options);
  const found = await checksum(part);
  if (found !== md5) {
    await Deno.remove(part);
    throw new DataError(
      `${url}: the file that came has MD5 ${found}, not the published ${md5}; it was deleted`,
    );
  }
  await Deno.rename(part, path);
  return "downloaded";
}

/** Attempts the download until it is complete, resuming where the attempt before broke off. */
async function complete(file: Download, part: string, options: DownloadOptions): Promise<void> {
  const patience = options.patience ?? defaultPatience;
  for (let attempt = 0;; attempt++) {
    const before = await lengthOf(part);
    try {
      await attemptDownload(file, part, before, options);
      return;
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
      if (await lengthOf(part) > before) attempt = 0;
      if (attempt >= mostAttempts) throw new DataError(`${error.message}; run the command again to resume`);
      await pause(patience * 2 ** attempt, options.signal);
    }
  }
}

async function attemptDownload(
  file: Download,
  part: string,
  have: number,
  { progress, signal }: DownloadOptions,
): Promise<void> {
  const { response, start, total } = await request(file, have, signal);
  const limit = file.bytes ?? total ?? largestFile;
  using target = await Deno.open(part, { write: true, create: true, truncate: start === 0 });
  await target.seek(start, Deno.SeekMode.Start);
  const began = performance.now();
  let received = start;
  try {
    for await (const piece of response.body ?? []) {
      received += piece.length;
      if (received > limit) {
        throw new DataError(`${file.url}: the server sends more than the ${limit} bytes of the file`);
      }
      for (let written = 0; written < piece.length;) written += await target.write(piece.subarray(written));
      const seconds = Math.max(performance.now() - began, 1) / 1000;
      progress?.({ received, total, bytesPerSecond: (received - start) / seconds });
    }
  } catch (error) {
    throw failure(file.url, error, signal);
  }
  const expected = file.bytes ?? total;
  if (expected !== undefined && received < expected) {
    throw new Interrupted(`${file.url}: the connection ended after ${received} of ${expected} bytes`);
  }
  await target.sync();
}

/** Asks for the file, or for its rest; where the answer begins, and how long the whole file is. */
async function request(
  { url }: Download,
  have: number,
  signal: AbortSignal | undefined,
): Promise<{ response: Response; start: number; total: number | undefined }> {
  const response = await ask(url, have, signal);
  const length = Number(response.headers.get("content-length") ?? NaN);
  if (response.status === 206) {
    const [, from, all] = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get("content-range") ?? "") ?? [];
    if (Number(from) === have) return { response, start: have, total: Number(all) };
    await response.body?.cancel();
    throw new DataError(`${url}: the server resumes at another place than it was asked to`);
  }
  if (response.status === 200) {
    return { response, start: 0, total: Number.isSafeInteger(length) ? length : undefined };
  }
  await response.body?.cancel();
  // What is there is not a part of the file: start over.
  if (response.status === 416 && have > 0) return await request({ url, path: "", md5: "" }, 0, signal);
  const message = `${url}: the server answers ${response.status} ${response.statusText}`.trim();
  throw response.status >= 500 ? new Interrupted(message) : new DataError(message);
}

async function ask(url: string, have: number, signal: AbortSignal | undefined): Promise<Response> {
  const headers: Record<string, string> = have > 0 ? { range: `bytes=${have}-` } : {};
  try {
    return await fetch(url, { headers, ...(signal && { signal }) });
  } catch (error) {
    throw failure(url, error, signal);
  }
}

function failure(url: string, error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return new DataError(`${url}: interrupted; run the command again to resume`);
  // What `fetch` and its body throw when a connection fails or breaks.
  const isNetwork = error instanceof TypeError || error instanceof Deno.errors.Http ||
    error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.UnexpectedEof;
  return isNetwork ? new Interrupted(`${url}: ${error.message.split("\n")[0]}`) : error;
}

async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });
}

async function lengthOf(path: string): Promise<number> {
  return await exists(path) ? (await Deno.stat(path)).size : 0;
}

async function checksum(path: string): Promise<string> {
  const hash = createHash("md5");
  for await (const piece of (await Deno.open(path)).readable) hash.update(piece);
  return hash.digest("hex");
}
