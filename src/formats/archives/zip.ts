import { FormatError } from "../../errors.ts";
import { type ByteSource, sourceOf } from "../byte_source.ts";
import { crc32 } from "./crc32.ts";
import { decompress } from "./decompress.ts";
import {
  decoded,
  encryptedFlag,
  type Entry,
  methods,
  quote,
  readDirectory,
  signatures,
  sizes,
  viewOf,
} from "./zip_directory.ts";

/** A zip archive, read by its directory. The files are read one by one. */
export class ZipArchive {
  readonly #source: ByteSource;
  readonly #entries: ReadonlyMap<string, Entry>;

  /** @throws {FormatError} if the directory is damaged, or its files overlap. */
  constructor(file: ByteSource | Uint8Array) {
    this.#source = sourceOf(file);
    this.#entries = readDirectory(this.#source);
  }

  /** Names of all files, in the directory's order. */
  get names(): string[] {
    return [...this.#entries.keys()];
  }

  /** Whether there is a file of this name. */
  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /**
   * Whether a file has to be decompressed to be read.
   * @throws {FormatError} if there is no such file, or it cannot be read.
   */
  isCompressed(name: string): boolean {
    return this.#entryOf(name).method !== methods.stored;
  }

  /**
   * Bytes of a file's contents, as the directory gives them.
   * @throws {FormatError} if there is no such file, or it cannot be read.
   */
  size(name: string): number {
    return this.#entryOf(name).size;
  }

  /**
   * The contents of a file; for an archive in memory, a view into it if they are stored uncompressed.
   * @param maximumBytes the most that they may have, unpacked
   * @throws {FormatError} if there is no such file, or it is damaged, too large, encrypted or compressed in an unknown way.
   */
  async read(name: string, maximumBytes: number): Promise<Uint8Array<ArrayBuffer>> {
    const entry = this.#entryOf(name);
    const { method, compressed, size, crc } = entry;
    if (size > maximumBytes) {
      throw new FormatError(
        `zip: file ${quote(name)} has ${size} bytes, where at most ${maximumBytes} are expected`,
      );
    }
    const start = this.#dataStart(entry);
    const data = this.#source.read(start, start + compressed);
    const contents = method === methods.stored ? data : await inflate(name, data, size);
    if (contents.length !== size || crc32(contents) !== crc) {
      throw new FormatError(`zip: file ${quote(name)} is damaged: its length or checksum does not match`);
    }
    return contents;
  }

  /** A fault in one file does not matter to a reader of another. */
  #entryOf(name: string): Entry {
    const entry = this.#entries.get(name);
    if (!entry) throw new FormatError(`zip: there is no file ${quote(name)}`);
    const { encrypted, method } = entry;
    if (encrypted) throw encryptedError(name);
    if (method !== methods.stored && method !== methods.deflated) {
      throw new FormatError(`zip: file ${quote(name)} is compressed by the unknown method ${method}`);
    }
    return entry;
  }

  /** Where a file's data begin, after its local header. */
  #dataStart(entry: Entry): number {
    const { name, offset, compressed, end } = entry;
    const view = viewOf(this.#source.read(offset, offset + sizes.local));
    if (view.getUint32(0, true) !== signatures.local) {
      throw new FormatError(`zip: file ${quote(name)} is not where the directory says`);
    }
    const names = offset + sizes.local;
    const namesEnd = names + view.getUint16(26, true);
    const start = namesEnd + view.getUint16(28, true);
    if (start + compressed > end) throw new FormatError(`zip: file ${quote(name)} overlaps another`);
    // Readers that follow the local headers would see another archive if these differed from the directory.
    if (decoded(this.#source.read(names, namesEnd)) !== name) {
      throw new FormatError(`zip: file ${quote(name)} has another name in its own header`);
    }
    if (view.getUint16(6, true) & encryptedFlag) throw encryptedError(name);
    return start;
  }
}

async function inflate(
  name: string,
  data: Uint8Array<ArrayBuffer>,
  size: number,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await decompress(data, "deflate-raw", size);
  } catch (error) {
    if (error instanceof FormatError) throw new FormatError(`zip: file ${quote(name)}: ${error.message}`);
    throw error;
  }
}

function encryptedError(name: string): FormatError {
  return new FormatError(`zip: file ${quote(name)} is encrypted`);
}
