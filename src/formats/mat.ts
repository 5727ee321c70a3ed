/**
 * MATLAB's Level 5 MAT-files ("MAT-File Format", The MathWorks): a header of 128 bytes, then tagged elements, one for
 * each variable, each either plain or compressed.
 */

import { FormatError } from "../errors.ts";
import { decompress } from "./archives/decompress.ts";

/** A real numeric array of a MAT-file. */
export interface MatArray {
  readonly shape: readonly number[];
  /**
   * The elements in MATLAB's own order, column-major: the first index runs fastest. Bytes for class uint8, which may be
   * a view into the file; doubles for every other class.
   */
  readonly data: Uint8Array | Float64Array;
}

const headerBytes = 128;
const levelFive = 0x0100;
const tagBytes = 8;
const maximumRank = 32;
/** Variables that are read. A data set has two or three, and each compressed one takes time however small it is. */
const mostVariables = 1000;
const uint8Class = 9;
/** The classes whose elements a double holds exactly, by number: double, single, int8 to uint32. */
const numericClasses = { first: 6, last: 13 } as const;
const complexFlag = 0x0800;

/** Types of elements that this file refers to by name. */
const types = { int8: 1, uint8: 2, int32: 5, uint32: 6, matrix: 14, compressed: 15, utf8: 16 } as const;

interface NumberFormat {
  readonly width: number;
  readonly read: (view: DataView, offset: number, little: boolean) => number;
}

/** How numbers are stored, by element type. MATLAB stores an array in the narrowest type that holds its values. */
const numberFormats: ReadonlyMap<number, NumberFormat> = new Map<number, NumberFormat>([
  [1, { width: 1, read: (view, offset) => view.getInt8(offset) }],
  [2, { width: 1, read: (view, offset) => view.getUint8(offset) }],
  [3, { width: 2, read: (view, offset, little) => view.getInt16(offset, little) }],
  [4, { width: 2, read: (view, offset, little) => view.getUint16(offset, little) }],
  [5, { width: 4, read: (view, offset, little) => view.getInt32(offset, little) }],
  [6, { width: 4, read: (view, offset, little) => view.getUint32(offset, little) }],
  [7, { width: 4, read: (view, offset, little) => view.getFloat32(offset, little) }],
  [9, { width: 8, read: (view, offset, little) => view.getFloat64(offset, little) }],
  [12, { width: 8, read: (view, offset, little) => Number(view.getBigInt64(offset, little)) }],
  [13, { width: 8, read: (view, offset, little) => Number(view.getBigUint64(offset, little)) }],
]);

interface Element {
  readonly type: number;
  readonly data: Uint8Array<ArrayBuffer>;
  /** Where the next element begins. It is always after this one's beginning, so every loop ends. */
  readonly next: number;
}

/** The memory that may still be taken. */
interface Allowance {
  bytes: number;
}

/**
 * Reads the real numeric arrays of a Level 5 MAT-file, by name; the last one where a name occurs twice. Variables of
 * other classes (cells, structures, text, sparse arrays, objects, 64-bit integers) and complex arrays are left out.
 * Elements stay in column-major order: the first index runs fastest.
 * @param maximumBytes the most that uncompressed variables and converted numbers may take together
 * @throws {FormatError} if the file is damaged, truncated, of another version, or takes more than `maximumBytes`.
 */
export async function parseMat(
  bytes: Uint8Array<ArrayBuffer>,
  maximumBytes: number,
): Promise<Map<string, MatArray>> {
  const little = isLittleEndian(bytes);
  const allowance: Allowance = { bytes: maximumBytes };
  const arrays = new Map<string, MatArray>();
  let variables = 0;
  for (let offset = headerBytes; offset < bytes.length;) {
    if (++variables > mostVariables) throw new FormatError(`MAT: more than ${mostVariables} variables`);
    const outer = elementAt(bytes, offset, little);
    offset = outer.next;
    const element = outer.type === types.compressed ? await unpack(outer.data, little, allowance) : outer;
    if (element.type !== types.matrix) {
      throw new FormatError(`MAT: a variable of element type ${element.type}, not ${types.matrix} (matrix)`);
    }
    const variable = parseMatrix(element.data, little, allowance);
    if (variable) arrays.set(variable.name, variable.array);
  }
  return arrays;
}

function isLittleEndian(bytes: Uint8Array): boolean {
  if (bytes.length < headerBytes) {
    throw new FormatError(`MAT: ${bytes.length} bytes are too few for a header of ${headerBytes}`);
  }
  const indicator = String.fromCharCode(bytes[126]!, bytes[127]!);
  if (indicator !== "IM" && indicator !== "MI") {
    throw new FormatError("MAT: not a Level 5 MAT-file; the header has no byte-order indicator");
  }
  const little = indicator === "IM";
  const version = new DataView(bytes.buffer, bytes.byteOffset).getUint16(124, little);
  if (version !== levelFive) {
    throw new FormatError(
      `MAT: version 0x${
        version.toString(16).padStart(4, "0")
      }; only 0x0100 (Level 5) is supported, not the HDF5 ` +
        "of MATLAB's -v7.3",
    );
  }
  return little;
}

function elementAt(bytes: Uint8Array<ArrayBuffer>, offset: number, little: boolean): Element {
  if (offset + tagBytes > bytes.length) {
    throw new FormatError(
      `MAT: an element's tag takes ${tagBytes} bytes, but ${
        bytes.length - offset
      } are left; the file is truncated`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, tagBytes);
  const word = view.getUint32(0, little);
  const smallLength = word >>> 16;
  if (smallLength > 4) {
    throw new FormatError(`MAT: a small element of ${smallLength} bytes; at most 4 are possible`);
  }
  const start = offset + (smallLength > 0 ? 4 : tagBytes);
  const end = start + (smallLength || view.getUint32(4, little));
  if (end > bytes.length) {
    throw new FormatError(
      `MAT: an element of ${end - start} bytes, but ${bytes.length - start} are left; the file is truncated`,
    );
  }
  return {
    type: word & 0xffff,
    data: bytes.subarray(start, end),
    next: nextOf(word, offset, end, bytes.length),
  };
}

/**
 * Where the next element begins. Padding goes to a multiple of eight from the element's own beginning, which need not
 * be aligned, because compressed elements have no padding. If the last padding is missing, nothing is lost.
 */
function nextOf(word: number, begin: number, end: number, length: number): number {
  if (word === types.compressed) return end;
  return Math.min(begin + Math.ceil((end - begin) / 8) * 8, length);
}

/** The one element inside a compressed element. */
async function unpack(
  data: Uint8Array<ArrayBuffer>,
  little: boolean,
  allowance: Allowance,
): Promise<Element> {
  let contents: Uint8Array<ArrayBuffer>;
  try {
    contents = await decompress(data, "deflate", allowance.bytes);
  } catch (error) {
    throw error instanceof FormatError ? new FormatError(`MAT: ${error.message}`, { cause: error }) : error;
  }
  allowance.bytes -= contents.length;
  const element = elementAt(contents, 0, little);
  requireEnd(element, contents, "a compressed variable");
  return element;
}

/** A variable, or undefined if it is not a real numeric array. */
function parseMatrix(
  bytes: Uint8Array<ArrayBuffer>,
  little: boolean,
  allowance: Allowance,
): { name: string; array: MatArray } | undefined {
  // The format's way of writing an empty array.
  if (bytes.length === 0) return undefined;
  const flags = elementAt(bytes, 0, little);
  if (flags.type !== types.uint32 || flags.data.length !== 8) {
    throw new FormatError("MAT: a variable does not begin with its flags");
  }
  const word = viewOf(flags.data).getUint32(0, little);
  const classNumber = word & 0xff;
  const isNumeric = classNumber >= numericClasses.first && classNumber <= numericClasses.last;
  if (!isNumeric || (word & complexFlag) !== 0) return undefined;
  const dimensions = elementAt(bytes, flags.next, little);
  const nameElement = elementAt(bytes, dimensions.next, little);
  const name = nameOf(nameElement);
  const shape = shapeOf(dimensions, name, little);
  const values = elementAt(bytes, nameElement.next, little);
  requireEnd(values, bytes, `array ${name}`);
  const count = countOf(values, shape, name);
  const data = classNumber === uint8Class
    ? bytesOf(values, count, name, little, allowance)
    : doublesOf(values, count, little, allowance);
  return { name, array: { shape, data } };
}

/** Nobody would read what follows the last element, so the length before it is wrong. */
function requireEnd({ next }: Element, bytes: Uint8Array, what: string): void {
  if (next !== bytes.length) {
    throw new FormatError(`MAT: ${what} has ${bytes.length} bytes, but its contents end after ${next}`);
  }
}

function nameOf({ type, data }: Element): string {
  const name = new TextDecoder().decode(data);
  // MATLAB's own limit is 63 characters: letters, digits or underscores.
  if ((type !== types.int8 && type !== types.utf8) || !/^[\p{L}\p{N}_]{0,255}$/u.test(name)) {
    throw new FormatError("MAT: a variable's name is damaged");
  }
  return name;
}

function shapeOf({ type, data }: Element, name: string, little: boolean): number[] {
  const rank = data.length / 4;
  // The format requires signed words, but some writers use unsigned ones.
  const isValid = (type === types.int32 || type === types.uint32) && Number.isInteger(rank);
  if (!isValid || rank < 2 || rank > maximumRank) {
    throw new FormatError(`MAT: array ${name}: its dimensions are damaged`);
  }
  const view = viewOf(data);
  const shape = Array.from({ length: rank }, (_, axis) => view.getInt32(4 * axis, little));
  if (shape.some((size) => size < 0)) throw new FormatError(`MAT: array ${name}: invalid shape [${shape}]`);
  return shape;
}

/** The number of elements, which the shape and the stored bytes must agree on before anything is allocated. */
function countOf({ type, data }: Element, shape: readonly number[], name: string): number {
  const format = numberFormats.get(type);
  if (!format) throw new FormatError(`MAT: array ${name}: its elements are stored as unknown type ${type}`);
  const count = shape.reduce((product, size) => product * size, 1);
  if (count * format.width !== data.length) {
    throw new FormatError(
      `MAT: array ${name}: shape [${shape}] takes ${
        count * format.width
      } bytes, but ${data.length} are stored`,
    );
  }
  return count;
}

function bytesOf(
  element: Element,
  count: number,
  name: string,
  little: boolean,
  allowance: Allowance,
): Uint8Array {
  if (element.type === types.uint8) return element.data;
  take(allowance, count);
  const values = new Uint8Array(count);
  fill(values, element, little, (value) => {
    if (Number.isInteger(value) && value >= 0 && value <= 255) return;
    throw new FormatError(`MAT: array ${name}: element ${value} is not a byte, as its class uint8 promises`);
  });
  return values;
}

function doublesOf(element: Element, count: number, little: boolean, allowance: Allowance): Float64Array {
  take(allowance, count * Float64Array.BYTES_PER_ELEMENT);
  const values = new Float64Array(count);
  fill(values, element, little);
  return values;
}

function fill(
  values: Uint8Array | Float64Array,
  { type, data }: Element,
  little: boolean,
  check?: (value: number) => void,
): void {
  const { width, read } = numberFormats.get(type)!;
  const view = viewOf(data);
  for (let i = 0; i < values.length; i++) {
    const value = read(view, i * width, little);
    check?.(value);
    values[i] = value;
  }
}

function take(allowance: Allowance, bytes: number): void {
  if (bytes > allowance.bytes) {
    throw new FormatError(
      `MAT: an array takes ${bytes} bytes, but only ${allowance.bytes} are still allowed`,
    );
  }
  allowance.bytes -= bytes;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
