/** NumPy's files: `.npy`, one array; `.npz`, a zip archive of several. Little-endian, like every WebGPU machine. */

import { FormatError } from "../errors.ts";
import type { ByteSource } from "./byte_source.ts";
import { bytesOf, concatenate } from "./bytes.ts";
import { printable } from "./text.ts";
import { ZipArchive } from "./archives/zip.ts";
import { zip } from "./archives/zip_writer.ts";

/** The element types that are written, and NumPy's names for them in files. */
const elementTypes = {
  float32: { descr: "<f4", array: Float32Array },
  float64: { descr: "<f8", array: Float64Array },
  uint8: { descr: "|u1", array: Uint8Array },
  int32: { descr: "<i4", array: Int32Array },
  int64: { descr: "<i8", array: BigInt64Array },
  bool: { descr: "|b1", array: Uint8Array },
} as const;

/** Element types, by NumPy's names. */
export type NumpyType = keyof typeof elementTypes;

/** An array, last index fastest. */
export interface NumpyArray {
  /**
   * Type of the elements. Parsing always sets it. Writing follows `data` if it is missing, and takes bytes as uint8.
   */
  readonly dtype?: NumpyType;
  readonly shape: readonly number[];
  readonly data:
    | Float32Array<ArrayBuffer>
    | Float64Array<ArrayBuffer>
    | Uint8Array<ArrayBuffer>
    | Int32Array<ArrayBuffer>
    | BigInt64Array<ArrayBuffer>;
}

/** An array that was read, with its element type. */
export type ParsedNumpyArray = Required<NumpyArray>;

interface Header {
  readonly dtype: NumpyType;
  /** Bytes of an element in the file. */
  readonly width: number;
  readonly bigEndian: boolean;
  readonly shape: readonly number[];
}

/** Types that are read. float16 becomes float32. */
const readTypes: Readonly<Record<string, { readonly dtype: NumpyType; readonly width: number }>> = {
  f2: { dtype: "float32", width: 2 },
  f4: { dtype: "float32", width: 4 },
  f8: { dtype: "float64", width: 8 },
  u1: { dtype: "uint8", width: 1 },
  i4: { dtype: "int32", width: 4 },
  i8: { dtype: "int64", width: 8 },
  b1: { dtype: "bool", width: 1 },
};

const magic: readonly number[] = [0x93, ...new TextEncoder().encode("NUMPY")];
/** The header ends at a multiple of this number of bytes. */
const alignment = 64;
const suffix = ".npy";
/** Bytes after the magic number: two of version, then two (version 1) or four of the header's length. */
const versionAt = magic.length;
/** NumPy's own limit. Only structured types, which are not read, take more. */
const longestHeader = 10_000;
/** NumPy's own limit. */
const maximumRank = 64;
/** The dictionary as NumPy writes it, with sorted keys. A type that is not a string is a structure. */
const headerPattern =
  /^\{ *'descr': *(?:'([^'\\]*)'|\[.*\]), *'fortran_order': *(True|False), *'shape': *\(([^)]*)\) *(?:, *)?\} *\n?$/s;
/** Bytes of all arrays that are read, unpacked: twice the statistics of FID, whose covariance has 2048×2048 doubles. */
const mostUnpackedBytes = 2 ** 26;
/** Nothing, `2,`, or `2, 3` with or without a comma at the end: `(2)` is not a tuple. */
const shapePattern = /^(?:\d+ *,|\d+(?: *, *\d+)+ *,?)?$/;

/**
 * Reads a `.npy` file.
 * @throws {FormatError} if it is damaged, in Fortran order, or of a type that is not read. Objects are never unpickled.
 */
export function parseNpy(bytes: Uint8Array): ParsedNumpyArray {
  const { text, body } = split(bytes);
  const { dtype, width, bigEndian, shape } = parseHeader(text);
  const expected = shape.reduce((product, extent) => product * extent, width);
  if (body.length !== expected) {
    throw new FormatError(
      `npy: ${body.length} bytes of elements, but shape [${shape}] takes ${expected}` +
        (body.length < expected ? "; the file is truncated" : ""),
    );
  }
  const elements = new Uint8Array(body);
  if (bigEndian) {
    for (let i = 0; i < elements.length; i += width) {
      elements.subarray(i, i + width).reverse();
    }
  }
  const { array } = elementTypes[dtype];
  const half = width < array.BYTES_PER_ELEMENT;
  const data = half ? new Float32Array(new Float16Array(elements.buffer)) : new array(elements.buffer);
  return { dtype, shape, data };
}

/**
 * A `.npy` file (version 1.0) of an array.
 * @throws {FormatError} if the elements do not match the type or the shape.
 */
export function serializeNpy({ dtype, shape, data }: NumpyArray): Uint8Array<ArrayBuffer> {
  const { descr } = elementTypes[writtenType(dtype, data)];
  if (!shape.every(isExtent) || shape.length > maximumRank) {
    throw new FormatError(`npy: no array has the shape [${shape.slice(0, maximumRank)}]`);
  }
  const expected = shape.reduce((product, extent) => product * extent, 1);
  if (data.length !== expected) {
    throw new FormatError(`npy: ${data.length} elements for shape [${shape}], which has ${expected}`);
  }
  const extents = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${extents}), }`;
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
 * Reads a `.npz` file: arrays by name. Other files in the archive are left alone.
 * @param wanted names of the arrays to read; by default all
 * @throws {FormatError} if the archive or an array that is read is damaged.
 */
export async function parseNpz(
  file: ByteSource | Uint8Array,
  wanted?: readonly string[],
): Promise<Map<string, ParsedNumpyArray>> {
  const archive = new ZipArchive(file);
  const arrays = new Map<string, ParsedNumpyArray>();
  let left = mostUnpackedBytes;
  for (const path of archive.names) {
    const name = arrayName(path);
    if (name === undefined || (wanted && !wanted.includes(name))) continue;
    const contents = await archive.read(path, left);
    left -= contents.length;
    arrays.set(name, inArchive(name, () => parseNpy(contents)));
  }
  return arrays;
}

/**
 * Names of the arrays in a `.npz` file. None of them is read.
 * @throws {FormatError} if the archive is damaged.
 */
export function npzNames(file: ByteSource | Uint8Array): string[] {
  return new ZipArchive(file).names.map(arrayName).filter((name) => name !== undefined);
}

function arrayName(file: string): string | undefined {
  return file.endsWith(suffix) ? file.slice(0, -suffix.length) : undefined;
}

/**
 * A compressed `.npz` file of arrays by name.
 * @throws {FormatError} if the elements of an array do not match its type or shape.
 */
export function serializeNpz(arrays: ReadonlyMap<string, NumpyArray>): Uint8Array<ArrayBuffer> {
  const files = [...arrays].map((
    [name, array],
  ): [string, Uint8Array] => [name + suffix, inArchive(name, () => serializeNpy(array))]);
  return zip(new Map(files), { compress: true });
}

function split(bytes: Uint8Array): { text: string; body: Uint8Array } {
  if (!magic.every((byte, i) => bytes[i] === byte)) throw new FormatError("npy: this is no NumPy file");
  const truncated = () => new FormatError("npy: the header is not complete; the file is truncated");
  if (bytes.length < versionAt + 2) throw truncated();
  const [major, minor] = bytes.subarray(versionAt, versionAt + 2);
  if (minor !== 0 || major === undefined || major < 1 || major > 3) {
    throw new FormatError(`npy: version ${major}.${minor} is not read; 1.0, 2.0 and 3.0 are`);
  }
  const start = versionAt + (major === 1 ? 4 : 6);
  if (bytes.length < start) throw truncated();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = major === 1 ? view.getUint16(start - 2, true) : view.getUint32(start - 4, true);
  if (length > longestHeader) {
    throw new FormatError(`npy: header of ${length} bytes; at most ${longestHeader} are allowed`);
  }
  if (start + length > bytes.length) throw truncated();
  const text = new TextDecoder("latin1").decode(bytes.subarray(start, start + length));
  return { text, body: bytes.subarray(start + length) };
}

function parseHeader(text: string): Header {
  const [match, descr, order, extents] = headerPattern.exec(text) ?? [];
  if (match === undefined || !shapePattern.test(extents!)) {
    throw new FormatError("npy: the header is damaged");
  }
  const type = elementTypeOf(descr);
  if (order === "True") throw new FormatError("npy: arrays in Fortran order are not read");
  const shape = (extents!.match(/\d+/g) ?? []).map(Number);
  if (!shape.every(isExtent) || shape.length > maximumRank) {
    throw new FormatError("npy: the shape has too many or too large extents");
  }
  return { ...type, shape };
}

function elementTypeOf(descr: string | undefined): Omit<Header, "shape"> {
  if (descr === undefined) throw new FormatError("npy: arrays of structures are not read");
  if (/^[|<>=]?O\d*$/.test(descr)) {
    throw new FormatError(`npy: arrays of Python objects (${descr}) are not read: nothing is unpickled`);
  }
  const code = descr.slice(1);
  const type = Object.hasOwn(readTypes, code) ? readTypes[code] : undefined;
  const orders = type?.width === 1 ? "|" : "<>";
  if (!type || !orders.includes(descr[0]!)) {
    throw new FormatError(`npy: elements of type ${JSON.stringify(descr.slice(0, 40))} are not read`);
  }
  return { ...type, bigEndian: descr[0] === ">" };
}

function writtenType(dtype: NumpyType | undefined, data: NumpyArray["data"]): NumpyType {
  const types = Object.keys(elementTypes) as NumpyType[];
  const type = types.find((name) =>
    (dtype === undefined || name === dtype) && data instanceof elementTypes[name].array
  );
  if (!type) throw new FormatError(`npy: ${data.constructor.name} does not hold elements of type ${dtype}`);
  return type;
}

function isExtent(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** Says which array of an archive is wrong. */
function inArchive<Result>(name: string, action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new FormatError(`npz: array "${printable(name)}": ${error.message}`);
  }
}
