/**
 * The safetensors format (https://github.com/huggingface/safetensors): eight bytes with the length of a JSON header,
 * the header, then the tensors' bytes without gaps. Little-endian throughout, like every machine that has WebGPU.
 */

import { FormatError } from "../errors.ts";
import { longestHeader, mostTensors } from "./budget.ts";
import { type ByteSource, sourceOf } from "./byte_source.ts";
import { JsonError, parseJsonObject } from "./json.ts";
import { printable } from "./text.ts";
import { type DType, elementBytes, type NamedTensor } from "./named_tensor.ts";
import type { TensorDescription, TensorFile } from "./tensor_file.ts";

export { type DType, elementBytes, type NamedTensor } from "./named_tensor.ts";

/** The contents of a safetensors file. */
export interface SafetensorsFile {
  readonly tensors: Map<string, NamedTensor>;
  /** Tensors with elements of a type that is not read, such as F4 or C64. */
  readonly others: Map<string, TensorDescription>;
  readonly metadata: Record<string, string>;
}

/** Values of the header for each tensor: element type, shape with its extents, and two offsets. */
const valuesPerTensor = 16;
/** More dimensions than any model has. A longer shape means a damaged or hostile file. */
const maximumRank = 32;
/** Most characters of a tensor's name. */
const longestName = 1000;
const metadataName = "__metadata__";

/** Pattern of the names of element types. */
const dtypePattern = /^[A-Z][A-Z0-9_]{0,30}$/;

interface Entry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** A safetensors file whose header has been read. Its tensors are read on demand. */
export interface SafetensorsSource extends TensorFile {
  readonly metadata: Readonly<Record<string, string>>;
}

/** What a header says, once it is known to account for every byte of the file. */
interface Header {
  readonly source: ByteSource;
  readonly metadata: Record<string, string>;
  readonly entries: readonly Entry[];
  /** Where the tensors' bytes begin. */
  readonly begin: number;
}

/**
 * Reads a safetensors file without copying the tensors' bytes.
 * @throws {FormatError} unless every byte of the file is accounted for as the format demands.
 */
export function parseSafetensors(bytes: Uint8Array): SafetensorsFile {
  const { source, metadata, entries, begin: start } = readHeader(bytes);
  const tensors = new Map<string, NamedTensor>();
  const others = new Map<string, TensorDescription>();
  for (const { name, dtype, shape, begin, end } of entries) {
    if (isDType(dtype)) tensors.set(name, { dtype, shape, data: source.read(start + begin, start + end) });
    else others.set(name, { dtype, shape });
  }
  return { tensors, others, metadata };
}

/**
 * Opens a safetensors file and reads only its header.
 * @throws {FormatError} unless every byte of the file is accounted for as the format demands.
 */
export function openSafetensors(file: ByteSource | Uint8Array): SafetensorsSource {
  const { source, metadata, entries, begin: start } = readHeader(file);
  const known = new Map(entries.map((entry) => [entry.name, entry]));
  return {
    metadata,
    tensors: new Map(entries.map(({ name, dtype, shape }) => [name, { dtype, shape }])),
    others: [],
    aliases: new Map(),
    read(names) {
      const read = new Map<string, NamedTensor>();
      for (const name of names) {
        const entry = known.get(name);
        if (!entry || !isDType(entry.dtype)) return Promise.reject(unread(name, entry));
        const { dtype, shape, begin, end } = entry;
        read.set(name, { dtype, shape, data: source.read(start + begin, start + end) });
      }
      return Promise.resolve(read);
    },
  };
}

function unread(name: string, description: TensorDescription | undefined): FormatError {
  return new FormatError(
    description
      ? `safetensors: tensor ${quote(name)} has elements of type ${description.dtype}, which are not read`
      : `safetensors: there is no tensor ${quote(name)}`,
  );
}

function readHeader(file: ByteSource | Uint8Array): Header {
  const source = sourceOf(file);
  const { header, begin } = split(source);
  let metadata: Record<string, string> = {};
  const entries: Entry[] = [];
  if (header.size > mostTensors) throw new FormatError(`safetensors: more than ${mostTensors} tensors`);
  for (const [name, value] of header) {
    if (name === metadataName) metadata = metadataOf(value);
    else entries.push(entryOf(name, value));
  }
  requireContiguous(entries, source.size - begin);
  return { source, metadata, entries, begin };
}

/**
 * Writes a safetensors file. The same tensors and metadata give the same bytes, whatever their order: tensors with
 * wider elements come first, so that all are aligned, and names are sorted within a width.
 * @throws {FormatError} if a tensor's bytes do not match its type and shape, or a name is reserved.
 */
export function serializeSafetensors(
  tensors: ReadonlyMap<string, NamedTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const ordered = [...tensors].sort(([nameA, a], [nameB, b]) =>
    elementBytes[b.dtype] - elementBytes[a.dtype] || compare(nameA, nameB)
  );
  const header: [string, unknown][] = [];
  const attributes = Object.entries(metadata).sort(([a], [b]) => compare(a, b));
  if (attributes.length > 0) header.push([metadataName, Object.fromEntries(attributes)]);
  let length = 0;
  for (const [name, { dtype, shape, data }] of ordered) {
    if (name === metadataName) throw new FormatError(`safetensors: no tensor may be named ${name}`);
    requireSize(name, dtype, shape, data.length);
    header.push([name, { dtype, shape, data_offsets: [length, length + data.length] }]);
    length += data.length;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const headerBytes = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(8 + headerBytes + length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerBytes), true);
  bytes.fill(0x20, 8, 8 + headerBytes).set(json, 8);
  let offset = 8 + headerBytes;
  for (const [, { data }] of ordered) {
    bytes.set(data, offset);
    offset += data.length;
  }
  return bytes;
}

/**
 * A tensor's elements as float32, copied unless their bytes fill a buffer of their own. Other types are rounded to the
 * nearest float32.
 * @throws {FormatError} for element types that {@link numbersOf} does not convert.
 */
export function float32Of(tensor: NamedTensor): Float32Array<ArrayBuffer> {
  const { dtype, data } = tensor;
  if (dtype === "F32") return new Float32Array(ownsBuffer(data) ? data.buffer : new Uint8Array(data).buffer);
  return new Float32Array(numbersOf(tensor));
}

/** Whether bytes fill their whole buffer, like those that were read from a file. */
function ownsBuffer(bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer && bytes.length === bytes.buffer.byteLength;
}

const readers: Partial<Record<DType, (view: DataView, offset: number) => number>> = {
  BOOL: (view, offset) => view.getUint8(offset),
  U8: (view, offset) => view.getUint8(offset),
  I8: (view, offset) => view.getInt8(offset),
  U16: (view, offset) => view.getUint16(offset, true),
  I16: (view, offset) => view.getInt16(offset, true),
  F16: (view, offset) => view.getFloat16(offset, true),
  BF16: (view, offset) => bfloat16(view.getUint16(offset, true)),
  U32: (view, offset) => view.getUint32(offset, true),
  I32: (view, offset) => view.getInt32(offset, true),
  F32: (view, offset) => view.getFloat32(offset, true),
  U64: (view, offset) => Number(view.getBigUint64(offset, true)),
  I64: (view, offset) => Number(view.getBigInt64(offset, true)),
  F64: (view, offset) => view.getFloat64(offset, true),
};

const halfOfFloat32 = new DataView(new ArrayBuffer(4));

/** A bfloat16 is the upper half of a float32. */
function bfloat16(bits: number): number {
  halfOfFloat32.setUint32(0, bits << 16);
  return halfOfFloat32.getFloat32(0);
}

/**
 * A tensor's elements as numbers, exact except for 64-bit integers beyond 2^53.
 * @throws {FormatError} for the 8-bit floating-point types.
 */
export function numbersOf({ dtype, data }: NamedTensor): Float64Array<ArrayBuffer> {
  const read = readers[dtype];
  if (!read) throw new FormatError(`safetensors: elements of type ${dtype} cannot be converted to numbers`);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const width = elementBytes[dtype];
  return Float64Array.from({ length: data.length / width }, (_, i) => read(view, i * width));
}

function split(source: ByteSource): { header: Map<string, unknown>; begin: number } {
  const { size } = source;
  if (size < 8) throw new FormatError(`safetensors: ${size} bytes are too few for a header length`);
  const first = source.read(0, 8);
  const declared = new DataView(first.buffer, first.byteOffset).getBigUint64(0, true);
  if (declared > longestHeader) {
    throw new FormatError(`safetensors: header of ${declared} bytes; at most ${longestHeader} are allowed`);
  }
  const begin = 8 + Number(declared);
  if (begin > size) {
    throw new FormatError(
      `safetensors: header of ${declared} bytes in a file of ${size}; the file is truncated`,
    );
  }
  return { header: parseHeader(source.read(8, begin)), begin };
}

function parseHeader(bytes: Uint8Array): Map<string, unknown> {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new FormatError("safetensors: the header is not valid JSON in UTF-8");
  }
  try {
    if (bytes[0] !== 0x7b) throw new JsonError("is not a JSON object");
    return parseJsonObject(text, valuesPerTensor * mostTensors);
  } catch (error) {
    if (error instanceof JsonError) throw new FormatError(`safetensors: the header ${error.message}`);
    throw error;
  }
}

function metadataOf(value: unknown): Record<string, string> {
  if (!isObject(value) || Object.values(value).some((text) => typeof text !== "string")) {
    throw new FormatError(`safetensors: ${metadataName} is not an object of strings`);
  }
  return value as Record<string, string>;
}

function entryOf(name: string, value: unknown): Entry {
  const refuse = (what: string) => new FormatError(`safetensors: tensor ${quote(name)}: ${what}`);
  if (name.length > longestName) {
    throw refuse(`its name has ${name.length} characters; at most ${longestName} are read`);
  }
  if (!isObject(value)) throw refuse("its description is not an object");
  const { dtype, shape, data_offsets: offsets } = value as Record<string, unknown>;
  if (typeof dtype !== "string" || !dtypePattern.test(dtype)) {
    throw refuse(`unknown element type ${quote(dtype)}`);
  }
  if (!isSizes(shape) || shape.length > maximumRank) throw refuse(`invalid shape ${quote(shape)}`);
  if (!isSizes(offsets) || offsets.length !== 2) throw refuse(`invalid data_offsets ${quote(offsets)}`);
  const [begin, end] = offsets as [number, number];
  if (end < begin) throw refuse(`data_offsets end before they begin (${begin}, ${end})`);
  if (isDType(dtype)) requireSize(name, dtype, shape, end - begin);
  return { name, dtype, shape, begin, end };
}

function requireSize(name: string, dtype: DType, shape: readonly number[], bytes: number): void {
  const needed = shape.reduce((product, size) => product * size, elementBytes[dtype]);
  if (needed !== bytes) {
    throw new FormatError(
      `safetensors: tensor ${quote(name)}: ${dtype} of shape [${shape}] takes ${needed} bytes, not ${bytes}`,
    );
  }
}

/** The format allows neither overlaps nor unused bytes, so nothing can hide in a file. */
function requireContiguous(entries: readonly Entry[], length: number): void {
  let expected = 0;
  for (const { name, begin, end } of entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== expected) {
      const what = begin < expected ? "overlaps the one before" : "leaves unused bytes before it";
      throw new FormatError(
        `safetensors: tensor ${quote(name)} ${what} (begins at ${begin}, not ${expected})`,
      );
    }
    expected = end;
  }
  if (expected !== length) {
    throw new FormatError(
      `safetensors: ${length} bytes of tensors, but the header describes ${expected}` +
        (expected > length ? "; the file is truncated" : ""),
    );
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether elements of a type can be read. */
export function isDType(value: unknown): value is DType {
  return typeof value === "string" && Object.hasOwn(elementBytes, value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A value from the file, short enough for a one-line message. */
function quote(value: unknown): string {
  return printable(JSON.stringify(value) ?? "undefined");
}
