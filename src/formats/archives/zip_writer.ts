import { deflateSync } from "fflate";
import { FormatError } from "../../errors.ts";
import { concatenate } from "../bytes.ts";
import { crc32 } from "./crc32.ts";
import { inExtraField, methods, signatures, sizes } from "./zip_directory.ts";

/** Options of {@link zip}. */
export interface ZipOptions {
  /** Deflate the files; by default they are stored uncompressed. */
  readonly compress?: boolean;
  /** Start the data of each file at a multiple of this number of bytes, by means of an extra field. */
  readonly alignment?: number;
}

/** 1 January 1980, where the format's calendar begins. The same files then give the same bytes. */
const date = 0x00210000;
const version = 20;
/** An extra field that readers ignore. */
const paddingField = 0x4246;
/** The largest value of the 16-bit fields for lengths. In the field for the number of files, it refers to zip64. */
const largest16 = 0xffff;
const largestAlignment = 0x8000;

/**
 * A zip archive of files by name.
 * @throws {FormatError} if it would exceed 4 GiB or 65534 files, which need zip64, or if a name or the alignment does
 *   not fit.
 */
export function zip(
  files: ReadonlyMap<string, Uint8Array>,
  options: ZipOptions = {},
): Uint8Array<ArrayBuffer> {
  const alignment = options.alignment ?? 1;
  requireWritable(files, alignment);
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const [name, contents] of files) {
    const nameBytes = new TextEncoder().encode(name);
    const data = options.compress ? deflateSync(contents) : contents;
    const fields = [
      version,
      0x0800,
      options.compress ? methods.deflated : methods.stored,
      date,
      crc32(contents),
      data.length,
      contents.length,
    ];
    const extra = padding(offset + sizes.local + nameBytes.length, alignment);
    const local = header(signatures.local, [2, 2, 2, 4, 4, 4, 4, 2, 2], [
      ...fields,
      nameBytes.length,
      extra.length,
    ]);
    directory.push(
      header(signatures.central, [2, 2, 2, 2, 4, 4, 4, 4, 2, 2, 2, 2, 2, 4, 4], [
        version,
        ...fields,
        nameBytes.length,
        ...[0, 0, 0, 0, 0],
        offset,
      ]),
      nameBytes,
    );
    for (const part of [local, nameBytes, extra, data]) {
      parts.push(part);
      offset += part.length;
    }
  }
  const length = directory.reduce((sum, part) => sum + part.length, 0);
  requireBelow4GiB(offset + length);
  const end = header(signatures.end, [2, 2, 2, 2, 4, 4, 2], [
    0,
    0,
    files.size,
    files.size,
    length,
    offset,
    0,
  ]);
  return concatenate([...parts, ...directory, end]);
}

/** Refuses values that the fields of the format cannot hold, before any file is compressed. */
function requireWritable(files: ReadonlyMap<string, Uint8Array>, alignment: number): void {
  if (!Number.isInteger(alignment) || alignment < 1 || alignment > largestAlignment) {
    throw new FormatError(
      `zip: an alignment must be an integer from 1 to ${largestAlignment}, not ${alignment}`,
    );
  }
  if (files.size >= largest16) {
    throw new FormatError(`zip: ${files.size} files; at most ${largest16 - 1} can be written`);
  }
  for (const [name, contents] of files) {
    if (new TextEncoder().encode(name).length > largest16) {
      throw new FormatError(`zip: the name ${JSON.stringify(name.slice(0, 100))}… is too long to be written`);
    }
    requireBelow4GiB(contents.length);
  }
}

function requireBelow4GiB(bytes: number): void {
  if (bytes > inExtraField) {
    throw new FormatError("zip: an archive of 4 GiB or more, or of such a file, cannot be written");
  }
}

/** An extra field that fills the room up to the next multiple of `alignment`. */
function padding(start: number, alignment: number): Uint8Array {
  if (start % alignment === 0) return new Uint8Array();
  const missing = alignment - start % alignment;
  // The field's own number and length take four bytes.
  const length = missing >= 4 ? missing : missing + Math.ceil((4 - missing) / alignment) * alignment;
  const field = new Uint8Array(length);
  const view = new DataView(field.buffer);
  view.setUint16(0, paddingField, true);
  view.setUint16(2, length - 4, true);
  return field;
}

/** A signature and little-endian numbers of the given widths. */
function header(signature: number, widths: readonly number[], values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(widths.reduce((sum, width) => sum + width, 4));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, signature, true);
  let at = 4;
  widths.forEach((width, i) => {
    if (width === 2) view.setUint16(at, values[i]!, true);
    else view.setUint32(at, values[i]!, true);
    at += width;
  });
  return bytes;
}
