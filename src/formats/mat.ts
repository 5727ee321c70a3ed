import { FormatError } from "../errors.ts";
import { decompress } from "./decompress.ts";

/** A numeric array of a MAT-file. */
export interface MatArray {
  readonly shape: readonly number[];
  /** The elements, first index fastest; bytes for class uint8, else doubles. */
  readonly data: Uint8Array | Float64Array;
}

const headerBytes = 128;
const tagBytes = 8;
/** Element types of the format that are containers. */
const types = { matrix: 14, compressed: 15 } as const;
const uint8Class = 9;
/** Classes whose elements are numbers that a double holds: double, single, int8 to uint32. */
const numericClasses = { first: 6, last: 13 } as const;
const complexFlag = 0x0800;
const mostDimensions = 32;

/** How numbers of each type are stored: their width, and how one is read. */
const numberTypes: Readonly<
  Record<number, { width: number; read: (view: DataView, at: number, little: boolean) => number }>
> = {
  1: { width: 1, read: (view, at) => view.getInt8(at) },
  2: { width: 1, read: (view, at) => view.getUint8(at) },
  3: { width: 2, read: (view, at, little) => view.getInt16(at, little) },
  4: { width: 2, read: (view, at, little) => view.getUint16(at, little) },
  5: { width: 4, read: (view, at, little) => view.getInt32(at, little) },
  6: { width: 4, read: (view, at, little) => view.getUint32(at, little) },
  7: { width: 4, read: (view, at, little) => view.getFloat32(at, little) },
  9: { width: 8, read: (view, at, little) => view.getFloat64(at, little) },
};

/** A tagged run of bytes. */
interface Element {
  readonly type: number;
  readonly data: Uint8Array<ArrayBuffer>;
  /** Where the next element begins. */
  readonly next: number;
}

/**
 * Reads the real numeric arrays of a MATLAB level 5 MAT-file, compressed or not; anything else in it is left out.
 * @param maximumBytes most that compressed variables may unpack to, together
 * @throws {FormatError} if it is no such file, damaged or truncated.
 */
export async function parseMat(
  bytes: Uint8Array<ArrayBuffer>,
  maximumBytes: number,
): Promise<Map<string, MatArray>> {
  const little = byteOrder(bytes);
  const arrays = new Map<string, MatArray>();
  let left = maximumBytes;
  for (let at = headerBytes; at < bytes.length;) {
    let element = elementAt(bytes, at, little);
    at = element.next;
    if (element.type === types.compressed) {
      const contents = await decompress(element.data, "deflate", left);
      left -= contents.length;
      element = elementAt(contents, 0, little);
    }
    if (element.type !== types.matrix) continue;
    const array = parseMatrix(element.data, little);
    if (array) arrays.set(array.name, array);
  }
  return arrays;
}

/** Whether a file is little-endian, by its header. */
function byteOrder(bytes: Uint8Array): boolean {
  const mark = String.fromCharCode(bytes[126] ?? 0, bytes[127] ?? 0);
  if (bytes.length < headerBytes || (mark !== "IM" && mark !== "MI")) {
    throw new FormatError(
      "MAT: this is no MAT-file of level 5 (MATLAB's -v7.3 files are HDF5, which is not read)",
    );
  }
  return mark === "IM";
}

function elementAt(bytes: Uint8Array<ArrayBuffer>, at: number, little: boolean): Element {
  if (at + tagBytes > bytes.length) throw new FormatError("MAT: the file is truncated");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const first = view.getUint32(at, little);
  const smallLength = first >>> 16;
  if (smallLength > 0) {
    if (smallLength > 4) throw new FormatError("MAT: a small element is too long; the file is damaged");
    return { type: first & 0xffff, data: bytes.subarray(at + 4, at + 4 + smallLength), next: at + tagBytes };
  }
  const length = view.getUint32(at + 4, little);
  const end = at + tagBytes + length;
  if (end > bytes.length) {
    throw new FormatError("MAT: an element reaches beyond the end; the file is truncated");
  }
  // All but compressed elements are padded to whole words of eight bytes.
  const next = first === types.compressed ? end : Math.min(bytes.length, Math.ceil(end / 8) * 8);
  return { type: first, data: bytes.subarray(at + tagBytes, end), next };
}

/** A numeric array, or nothing if it is of another kind. */
function parseMatrix(
  data: Uint8Array<ArrayBuffer>,
  little: boolean,
): MatArray & { name: string } | undefined {
  const flags = elementAt(data, 0, little);
  if (flags.data.length !== 8) throw new FormatError("MAT: an array's flags are damaged");
  const word = new DataView(flags.data.buffer, flags.data.byteOffset).getUint32(0, little);
  const arrayClass = word & 0xff;
  if (arrayClass < numericClasses.first || arrayClass > numericClasses.last || word & complexFlag) {
    return undefined;
  }
  const dimensions = elementAt(data, flags.next, little);
  const name = elementAt(data, dimensions.next, little);
  const values = elementAt(data, name.next, little);
  const shape = [...numbersOf(dimensions, little)];
  const count = shape.reduce((product, extent) => product * extent, 1);
  if (
    shape.length > mostDimensions || !shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0)
  ) {
    throw new FormatError("MAT: an array's dimensions are damaged");
  }
  const isBytes = arrayClass === uint8Class && values.type === 2;
  const elements = isBytes ? values.data : numbersOf(values, little);
  if (elements.length !== count) {
    throw new FormatError(
      `MAT: ${elements.length} values in an array of shape [${shape}], which has ${count}`,
    );
  }
  return { name: new TextDecoder().decode(name.data), shape, data: elements };
}

function numbersOf({ type, data }: Element, little: boolean): Float64Array {
  const format = numberTypes[type];
  if (!format || data.length % format.width !== 0) {
    throw new FormatError(`MAT: unknown or damaged numbers of type ${type}`);
  }
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return Float64Array.from(
    { length: data.length / format.width },
    (_, i) => format.read(view, i * format.width, little),
  );
}
