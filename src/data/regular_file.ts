import { FormatError } from "../errors.ts";
import { mostArrayBytes } from "../formats/budget.ts";
import type { ByteSource } from "../formats/byte_source.ts";

/** Most bytes of this project's JSON files and of other short texts. The longest have some hundred thousand. */
export const mostTextBytes: number = 2 ** 22;

/**
 * An open file, for reading ranges. A folder, a named pipe and a device are refused, because reading them fails, waits,
 * or never ends.
 */
export class RegularFile implements ByteSource, Disposable {
  readonly #file: Deno.FsFile;

  private constructor(file: Deno.FsFile, readonly size: number) {
    this.#file = file;
  }

  /**
   * Opens a file.
   * @throws {FormatError} if it is not a regular file; the message does not name it.
   * @throws {Deno.errors.NotFound} if it does not exist, or another error of the system.
   */
  static async open(path: string | URL): Promise<RegularFile> {
    // Checked before it is opened, which would wait for the other end of a pipe.
    requireRegular(await Deno.stat(path));
    const file = await Deno.open(path);
    try {
      const info = await file.stat();
      requireRegular(info);
      return new RegularFile(file, info.size);
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /**
   * @throws {FormatError} if the file has become shorter since it was opened, or if the range is larger than any array
   * that is read.
   */
  read(begin: number, end: number): Uint8Array<ArrayBuffer> {
    if (end - begin > mostArrayBytes) {
      throw new FormatError(`${end - begin} bytes are more than can be read at once`);
    }
    const bytes = new Uint8Array(end - begin);
    this.#file.seekSync(begin, Deno.SeekMode.Start);
    for (let at = 0; at < bytes.length;) {
      const count = this.#file.readSync(bytes.subarray(at));
      if (!count) throw new FormatError("the file has become shorter while it was read");
      at += count;
    }
    return bytes;
  }

  /**
   * The whole file.
   * @throws {FormatError} if it has more bytes than `maximumBytes`; nothing is read then.
   */
  readWhole(maximumBytes: number): Uint8Array<ArrayBuffer> {
    if (this.size <= maximumBytes) return this.read(0, this.size);
    throw new FormatError(`it has ${this.size} bytes, where at most ${maximumBytes} are expected`);
  }

  /** All bytes in pieces, as they are read. The file is closed after the last one. */
  stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    this.#file.seekSync(0, Deno.SeekMode.Start);
    return this.#file.readable;
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}

/**
 * A file's bytes.
 * @throws {FormatError} naming it if it is not a regular file or has more than `maximumBytes`.
 * @throws {Deno.errors.NotFound} if it does not exist, or another error of the system.
 */
export async function readRegularFile(
  path: string | URL,
  maximumBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    using file = await RegularFile.open(path);
    return file.readWhole(maximumBytes);
  } catch (error) {
    throw error instanceof FormatError ? new FormatError(`${path}: ${error.message}`) : error;
  }
}

/**
 * A short text file.
 * @throws like {@link readRegularFile} with {@link mostTextBytes} bytes.
 */
export async function readShortText(path: string | URL): Promise<string> {
  return new TextDecoder().decode(await readRegularFile(path, mostTextBytes));
}

function requireRegular(info: Deno.FileInfo): void {
  if (!info.isFile) throw new FormatError(`it is ${kindOf(info)}, not a file`);
}

function kindOf({ isDirectory, isFifo, isSocket }: Deno.FileInfo): string {
  if (isDirectory) return "a folder";
  if (isFifo) return "a named pipe";
  return isSocket ? "a socket" : "a device";
}
