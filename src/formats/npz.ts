/** NumPy's files: `.npy`, one array; `.npz`, a zip archive of several. */

import { FormatError } from "../errors.ts";
import { bytesOf, concatenate } from "./bytes.ts";
import { ZipArchive } from "./zip.ts";
import { zip } from "./zip_writer.ts";

/** An array, last index fastest. */
export interface NumpyArray {
  readonly shape: readonly number[];
  readonly data:
    | Float32Array<ArrayBuffer>
    | Float64Array<ArrayBuffer>
    | Uint8Array<ArrayBuffer>
    | Int32Array<ArrayBuffer>
    | BigInt64Array<ArrayBuffer>;
}

type Elements = NumpyArray["data"];

/** The element types that are read and written, by NumPy's names for them. */
const elementTypes: Readonly<Record<string, new (buffer: ArrayBuffer) => Elements>> = {
  "<f4": Float32Array,
  "<f8": Float64Array,
  "|u1": Uint8Array,
  "|b1": Uint8Array,
  "<i4": Int32Array,
  "<i8": BigInt64Array,
};

const magic: readonly number[] = [0x93, ...new TextEncoder().encode("NUMPY")];
/** The header ends at a multiple of so many bytes. */
const alignment = 64;
const suffix = ".npy";
/** What is after the magic number: two bytes of version, two (version 1) or four of the header's length. */
const versionAt = magic.length;

/**
 * Reads a `.npy` file.
 * @throws {FormatError} if it is damaged, in Fortran order or of a type that is not read; objects are never unpickled.
 */
export function parseNpy(bytes: Uint8Array): NumpyArray {
  if (!magic.every((byte, i) => bytes[i] === byte)) throw new FormatError("npy: this is no NumPy file");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const lengthBytes = bytes[versionAt] === 1 ? 2 : 4;
  const headerAt = versionAt + 2 + lengthBytes;
  if (bytes.length < headerAt) throw new FormatError("npy: the file is truncated");
  const at = versionAt + 2;
  const length = lengthBytes === 2 ? view.getUint16(at, true) : view.getUint32(at, true);
  if (headerAt + length > bytes.length) throw new FormatError("npy: the file is truncated");
  const header = new TextDecoder().decode(bytes.subarray(headerAt, headerAt + length));
  const { type, shape } = parseHeader(header);
  const data = new elementTypes[type]!(bytes.slice(headerAt + length).buffer as ArrayBuffer);
  const expected = shape.reduce((product, extent) => product * extent, 1);
  if (data.length !== expected) {
    throw new FormatError(`npy: ${data.length} elements for shape [${shape}], which has ${expected}`);
  }
  return { shape, data };

  function parseHeader(text: string): { type: string; shape: number[] } {
    const type = /'descr':\s*'([^']{1,16})'/.exec(text)?.[1];
    const order = /'fortran_order':\s*(True|False)/.exec(text)?.[1];
    const sizes = /'shape':\s*\(([\d,\s]*)\)/.exec(text)?.[1];
    if (type === undefined || order === undefined || sizes === undefined) {
      throw new FormatError("npy: the header is damaged");
    }
    if (!Object.hasOwn(elementTypes, type)) {
      throw new FormatError(`npy: elements of type ${type} are not read`);
    }
    if (order === "True") throw new FormatError("npy: arrays in Fortran order are not read");
    const shape = sizes.split(",").filter((size) => size.trim() !== "").map(Number);
    const width = elementTypes[type]!.prototype.BYTES_PER_ELEMENT as number;
    if ((bytes.length - headerAt - length) % width !== 0) throw new FormatError("npy: the file is truncated");
    return { type, shape };
  }
}

/** A `.npy` file of an array. */
export function serializeNpy({ shape, data }: NumpyArray): Uint8Array<ArrayBuffer> {
  const type = Object.entries(elementTypes).find(([, constructor]) => data instanceof constructor)![0];
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const start = versionAt + 4;
  const length = Math.ceil((start + text.length + 1) / alignment) * alignment - start;
  const header = new TextEncoder().encode(`${text.padEnd(length - 1)}\n`);
  return concatenate([
    Uint8Array.of(...magic, 1, 0, length & 0xff, length >> 8),
    header,
    bytesOf(data),
  ]);
}

/**
 * Reads a `.npz` file: arrays by name.
 * @throws {FormatError} if the archive or an array in it is damaged.
 */
export async function parseNpz(bytes: Uint8Array<ArrayBuffer>): Promise<Map<string, NumpyArray>> {
  const archive = new ZipArchive(bytes);
  const arrays = new Map<string, NumpyArray>();
  for (const name of archive.names) {
    if (name.endsWith(suffix)) arrays.set(name.slice(0, -suffix.length), parseNpy(await archive.read(name)));
  }
  return arrays;
}

/** A compressed `.npz` file of arrays by name. */
export function serializeNpz(arrays: ReadonlyMap<string, NumpyArray>): Uint8Array<ArrayBuffer> {
  const files = [...arrays].map((
    [name, array],
  ): [string, Uint8Array] => [name + suffix, serializeNpy(array)]);
  return zip(new Map(files), { compress: true });
}
