/** A zip archive's directory: where it is, and what it says about the files (APPNOTE.TXT, PKWARE). */

import { FormatError } from "../../errors.ts";
import { deflateGain, longestDirectory, longestFileName, mostFiles } from "../budget.ts";
import type { ByteSource } from "../byte_source.ts";
import { printable } from "../text.ts";

/** Signatures of an archive's structures, and their lengths without names and fields. */
export const signatures = {
  local: 0x04034b50,
  central: 0x02014b50,
  end: 0x06054b50,
  end64: 0x06064b50,
  locator64: 0x07064b50,
};
export const sizes = { local: 30, central: 46, end: 22, end64: 56, locator64: 20 } as const;
/** What a 32-bit field holds when its value is in the zip64 extra field. */
export const inExtraField = 0xffffffff;
/** How files are compressed. */
export const methods = { stored: 0, deflated: 8 } as const;
const longestComment = 0xffff;
/** Deflate never takes more than twice the size, except for very short files. */
const deflateWaste = 64;
/** Set in the flags of files that are encrypted. */
export const encryptedFlag = 1;

/** One file of an archive, as the directory describes it. */
export interface Entry {
  readonly name: string;
  readonly method: number;
  readonly encrypted: boolean;
  readonly crc: number;
  readonly compressed: number;
  readonly size: number;
  /** Where the local header begins. */
  readonly offset: number;
  /** Least number of bytes of the local header: it has the same name, and perhaps fields. */
  readonly header: number;
  /** Where the file's room ends: at the next file, or at the directory. */
  readonly end: number;
}

/**
 * Reads the directory of an archive.
 * @returns the files by name, in the directory's order
 * @throws {FormatError} if it is damaged, or its files overlap.
 */
export function readDirectory(source: ByteSource): Map<string, Entry> {
  const { count, start, end } = placeOfDirectory(source);
  return placed(entriesIn(source.read(start, end), count), start);
}

/** Where the directory is, and how many files it describes. */
function placeOfDirectory(source: ByteSource): { count: number; start: number; end: number } {
  const begin = Math.max(0, source.size - longestComment - sizes.end - sizes.locator64);
  const tail = viewOf(source.read(begin, source.size));
  const at = endIn(tail);
  const wide = directory64(source, tail, at);
  const count = wide?.count ?? tail.getUint16(at + 10, true);
  const size = wide?.size ?? tail.getUint32(at + 12, true);
  const start = wide?.start ?? tail.getUint32(at + 16, true);
  const end = start + size;
  if (!(end <= begin + at) || count * sizes.central > size) throw damagedDirectory();
  if (count > mostFiles) throw new FormatError(`zip: ${count} files; at most ${mostFiles} are read`);
  if (size > longestDirectory) {
    throw new FormatError(
      `zip: the archive's directory has ${size} bytes; at most ${longestDirectory} are read`,
    );
  }
  return { count, start, end };
}

/** Where the end record begins. Only a complete comment may follow it. */
function endIn(tail: DataView): number {
  const last = tail.byteLength - sizes.end;
  for (let at = last; at >= 0 && at >= last - longestComment; at--) {
    if (tail.getUint32(at, true) === signatures.end && tail.getUint16(at + 20, true) === last - at) return at;
  }
  throw new FormatError("zip: the archive's directory is missing; it is truncated");
}

/** Where the directory is by the zip64 record, if there is one. */
function directory64(
  source: ByteSource,
  tail: DataView,
  end: number,
): { count: number; size: number; start: number } | undefined {
  const locator = end - sizes.locator64;
  if (locator < 0 || tail.getUint32(locator, true) !== signatures.locator64) return undefined;
  const damaged = () => new FormatError("zip: the archive's zip64 record is damaged");
  const at = wideNumber(tail, locator + 8);
  if (at + sizes.end64 > source.size - tail.byteLength + locator) throw damaged();
  const record = viewOf(source.read(at, at + sizes.end64));
  if (record.getUint32(0, true) !== signatures.end64) throw damaged();
  return { count: wideNumber(record, 32), size: wideNumber(record, 40), start: wideNumber(record, 48) };
}

/** A file whose neighbours are not known yet. */
type Unplaced = Omit<Entry, "end">;

/** The files that a directory describes. */
function entriesIn(bytes: Uint8Array<ArrayBuffer>, count: number): Map<string, Unplaced> {
  const entries = new Map<string, Unplaced>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    const { entry, next } = entryAt(bytes, at);
    if (entries.has(entry.name)) throw new FormatError(`zip: there are two files ${quote(entry.name)}`);
    entries.set(entry.name, entry);
    at = next;
  }
  if (at !== bytes.length) {
    throw new FormatError(`zip: the archive's directory does not end after ${count} files`);
  }
  return entries;
}

function entryAt(bytes: Uint8Array<ArrayBuffer>, at: number): { entry: Unplaced; next: number } {
  const view = viewOf(bytes);
  if (at + sizes.central > bytes.length || view.getUint32(at, true) !== signatures.central) {
    throw damagedDirectory();
  }
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
  if (next > bytes.length) throw damagedDirectory();
  const name = decoded(bytes.subarray(at + sizes.central, extra));
  const [size, compressed, offset] = wideFields(view, at, extra, extra + extraLength!);
  const method = view.getUint16(at + 10, true);
  const isPossible = method === methods.stored
    ? size === compressed
    : size! <= deflateGain * compressed! && compressed! <= 2 * size! + deflateWaste;
  if (!isPossible) {
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
    header: sizes.local + nameLength!,
  };
  return { entry, next };
}

/** Size, compressed size and offset, each from the zip64 extra field where the directory refers to it. */
function wideFields(view: DataView, at: number, extra: number, extraEnd: number): number[] {
  const values = [24, 20, 42].map((field) => view.getUint32(at + field, true));
  for (let field = extra; field + 4 <= extraEnd;) {
    const fieldEnd = field + 4 + view.getUint16(field + 2, true);
    if (view.getUint16(field, true) === 1 && fieldEnd <= extraEnd) {
      let from = field + 4;
      values.forEach((value, i) => {
        if (value !== inExtraField || from + 8 > fieldEnd) return;
        values[i] = wideNumber(view, from);
        from += 8;
      });
    }
    field = fieldEnd;
  }
  return values;
}

/**
 * Gives each file its room. Files that share bytes with one another or with the directory would unpack to more than the
 * archive has room for. The length of a local header's fields shows when its file is read.
 */
function placed(entries: ReadonlyMap<string, Unplaced>, directory: number): Map<string, Entry> {
  const ends = new Map<Unplaced, number>();
  let end = directory;
  for (const entry of [...entries.values()].sort((a, b) => b.offset - a.offset)) {
    if (entry.offset + entry.header + entry.compressed > end) {
      throw new FormatError(`zip: file ${quote(entry.name)} overlaps another`);
    }
    ends.set(entry, end);
    end = entry.offset;
  }
  return new Map([...entries].map(([name, entry]) => [name, { ...entry, end: ends.get(entry)! }]));
}

/** A 64-bit number. Doubles count the bytes of any file exactly. */
function wideNumber(view: DataView, at: number): number {
  const value = view.getBigUint64(at, true);
  if (value > Number.MAX_SAFE_INTEGER) throw new FormatError(`zip: no archive has ${value} bytes or files`);
  return Number(value);
}

/** The same bytes as a view of numbers. */
export function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

/** A file's name. */
export function decoded(name: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(name);
}

function damagedDirectory(): FormatError {
  return new FormatError("zip: the archive's directory is damaged");
}

/** A file's name in messages. */
export function quote(name: string): string {
  return `"${printable(name)}"`;
}
