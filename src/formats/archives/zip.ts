import { FormatError } from "../../errors.ts";
import { deflateGain, longestFileName, mostFiles } from "../budget.ts";
import { crc32 } from "./crc32.ts";
import { decompress } from "./decompress.ts";
import { printable } from "../text.ts";

/** What the structures of an archive begin with, and their lengths without names and fields. */
export const signatures = {
  local: 0x04034b50,
  central: 0x02014b50,
  end: 0x06054b50,
  end64: 0x06064b50,
  locator64: 0x07064b50,
};
export const sizes = { local: 30, central: 46, end: 22, end64: 56, locator64: 20 } as const;
/** What a 32-bit field holds when the value is in the zip64 extra field. */
export const inExtraField = 0xffffffff;
/** How files are compressed. */
export const methods = { stored: 0, deflated: 8 } as const;
const longestComment = 0xffff;
/** Set in the flags of files that are encrypted. */
const encryptedFlag = 1;

/** One file of an archive, as the directory describes it. */
interface Entry {
  readonly name: string;
  readonly method: number;
  readonly encrypted: boolean;
  readonly crc: number;
  readonly compressed: number;
  readonly size: number;
  /** Where the local header begins. */
  readonly offset: number;
}

/** A zip archive, read by its directory; the files are read one by one. */
export class ZipArchive {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  readonly #entries = new Map<string, Entry>();

  /** @throws {FormatError} if the directory is damaged, or its files overlap. */
  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const { count, start, end } = this.#directory();
    let at = start;
    for (let i = 0; i < count; i++) {
      const { entry, next } = this.#entry(at, end);
      if (this.#entries.has(entry.name)) {
        throw new FormatError(`zip: there are two files ${quote(entry.name)}`);
      }
      this.#entries.set(entry.name, entry);
      at = next;
    }
    if (at !== end) throw new FormatError(`zip: the archive's directory does not end after ${count} files`);
    this.#requireApart(start);
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
   * Bytes of a file's contents, by the directory.
   * @throws {FormatError} if there is no such file, or it cannot be read.
   */
  size(name: string): number {
    return this.#entryOf(name).size;
  }

  /**
   * The contents of a file; a view into the archive if they are stored as they are.
   * @param maximumBytes the most that a compressed file may unpack to
   * @throws {FormatError} if there is no such file, or it is damaged, too large, encrypted or compressed in an unknown way.
   */
  async read(name: string, maximumBytes: number): Promise<Uint8Array<ArrayBuffer>> {
    const entry = this.#entryOf(name);
    const { method, compressed, size, crc } = entry;
    if (method !== methods.stored && size > maximumBytes) {
      throw new FormatError(
        `zip: file ${quote(name)} unpacks to ${size} bytes, where at most ${maximumBytes} are expected`,
      );
    }
    this.#requireAgreement(entry);
    const start = this.#dataStart(entry);
    const data = this.#bytes.subarray(start, start + compressed);
    const contents = method === methods.stored ? data : await inflate(name, data, size);
    if (contents.length !== size || crc32(contents) !== crc) {
      throw new FormatError(`zip: file ${quote(name)} is damaged: its length or checksum does not match`);
    }
    return contents;
  }

  /** What is wrong with one file does not matter to whoever reads another. */
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

  /** Where the directory lies, and how many files it describes. */
  #directory(): { count: number; start: number; end: number } {
    const view = this.#view;
    const at = this.#end();
    const wide = this.#directory64(at);
    const count = wide?.count ?? view.getUint16(at + 10, true);
    const size = wide?.size ?? view.getUint32(at + 12, true);
    const start = wide?.start ?? view.getUint32(at + 16, true);
    const end = start + size;
    if (!(end <= at) || count * sizes.central > size) {
      throw new FormatError("zip: the archive's directory is damaged");
    }
    if (count > mostFiles) throw new FormatError(`zip: ${count} files; at most ${mostFiles} are read`);
    return { count, start, end };
  }

  /** Where the end record begins: it is the last thing but for a comment, which must be complete. */
  #end(): number {
    const view = this.#view;
    const last = view.byteLength - sizes.end;
    for (let at = last; at >= 0 && at >= last - longestComment; at--) {
      if (view.getUint32(at, true) === signatures.end && view.getUint16(at + 20, true) === last - at) {
        return at;
      }
    }
    throw new FormatError("zip: the archive's directory is missing; it is truncated");
  }

  /** The same by the zip64 record, if there is one. */
  #directory64(end: number): { count: number; size: number; start: number } | undefined {
    const view = this.#view;
    const locator = end - sizes.locator64;
    if (locator < 0 || view.getUint32(locator, true) !== signatures.locator64) return undefined;
    const at = this.#wide(locator + 8);
    if (at + sizes.end64 > locator || view.getUint32(at, true) !== signatures.end64) {
      throw new FormatError("zip: the archive's zip64 record is damaged");
    }
    return { count: this.#wide(at + 32), size: this.#wide(at + 40), start: this.#wide(at + 48) };
  }

  #entry(at: number, end: number): { entry: Entry; next: number } {
    const view = this.#view;
    const damaged = () => new FormatError("zip: the archive's directory is damaged");
    if (at + sizes.central > end || view.getUint32(at, true) !== signatures.central) throw damaged();
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((field) =>
      view.getUint16(at + field, true)
    );
    if (nameLength! > longestFileName) {
      throw new FormatError(
        `zip: a file's name has ${nameLength} bytes; at most ${longestFileName} are read`,
      );
    }
    const extra = at + sizes.central + nameLength!;
    const next = extra + extraLength! + commentLength!;
    if (next > end) throw damaged();
    const name = this.#name(at + sizes.central, extra);
    const [size, compressed, offset] = this.#wideFields(at, extra, extra + extraLength!);
    const method = view.getUint16(at + 10, true);
    if (method === methods.stored ? size !== compressed : size! > deflateGain * compressed!) {
      throw new FormatError(`zip: file ${quote(name)} claims ${size} bytes out of ${compressed}`);
    }
    const entry = {
      name,
      method,
      encrypted: (view.getUint16(at + 8, true) & encryptedFlag) !== 0,
      crc: view.getUint32(at + 16, true),
      size: size!,
      compressed: compressed!,
      offset: offset!,
    };
    return { entry, next };
  }

  /** Size, compressed size and offset, each from the zip64 extra field where the directory refers to it. */
  #wideFields(at: number, extra: number, extraEnd: number): number[] {
    const view = this.#view;
    const values = [24, 20, 42].map((field) => view.getUint32(at + field, true));
    for (let field = extra; field + 4 <= extraEnd;) {
      const fieldEnd = field + 4 + view.getUint16(field + 2, true);
      if (view.getUint16(field, true) === 1 && fieldEnd <= extraEnd) {
        let from = field + 4;
        values.forEach((value, i) => {
          if (value !== inExtraField || from + 8 > fieldEnd) return;
          values[i] = this.#wide(from);
          from += 8;
        });
      }
      field = fieldEnd;
    }
    return values;
  }

  /** A 64-bit number; files have fewer bytes than doubles count exactly. */
  #wide(at: number): number {
    const value = this.#view.getBigUint64(at, true);
    if (value > Number.MAX_SAFE_INTEGER) throw new FormatError(`zip: no archive has ${value} bytes or files`);
    return Number(value);
  }

  #name(start: number, end: number): string {
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(this.#bytes.subarray(start, end));
  }

  /** Where a file's data begin, behind its local header. */
  #dataStart({ name, offset, compressed }: Entry): number {
    const view = this.#view;
    if (!(offset + sizes.local <= view.byteLength) || view.getUint32(offset, true) !== signatures.local) {
      throw new FormatError(`zip: file ${quote(name)} is not where the directory says`);
    }
    const start = offset + sizes.local + view.getUint16(offset + 26, true) +
      view.getUint16(offset + 28, true);
    if (!(start + compressed <= view.byteLength)) {
      throw new FormatError(`zip: file ${quote(name)} is truncated`);
    }
    return start;
  }

  /** Readers that go by the local headers would see another archive if these differed from the directory. */
  #requireAgreement({ name, offset }: Entry): void {
    const nameStart = offset + sizes.local;
    if (this.#name(nameStart, nameStart + this.#view.getUint16(offset + 26, true)) !== name) {
      throw new FormatError(`zip: file ${quote(name)} has another name in its own header`);
    }
    if (this.#view.getUint16(offset + 6, true) & encryptedFlag) throw encryptedError(name);
  }

  /** Files that share bytes with one another or with the directory unpack to more than the archive has room for. */
  #requireApart(directory: number): void {
    let end = 0;
    for (const entry of [...this.#entries.values()].sort((a, b) => a.offset - b.offset)) {
      const next = this.#dataStart(entry) + entry.compressed;
      if (entry.offset < end || next > directory) {
        throw new FormatError(`zip: file ${quote(entry.name)} overlaps another`);
      }
      end = next;
    }
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

function quote(name: string): string {
  return `"${printable(name)}"`;
}
