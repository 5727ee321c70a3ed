/**
 * Files that PyTorch's `torch.save` writes: zip archives, and the format of versions before 1.6. Both hold a pickle that
 * describes tensors as views into numbered storages.
 */

import { FormatError } from "../errors.ts";
import { Global, parsePickle, type PickleReader, type PickleValue } from "./pickle.ts";
import { type DType, elementBytes, type NamedTensor } from "./safetensors.ts";
import { ZipArchive } from "./zip.ts";

/** Element types by the names of PyTorch's storages. */
export const storageTypes: Readonly<Record<string, DType>> = {
  FloatStorage: "F32",
  DoubleStorage: "F64",
  HalfStorage: "F16",
  BFloat16Storage: "BF16",
  LongStorage: "I64",
  IntStorage: "I32",
  ShortStorage: "I16",
  CharStorage: "I8",
  ByteStorage: "U8",
  BoolStorage: "BOOL",
};

/** The first three pickles of the old format. */
const legacyMagic = 0x1950a86a20f9469cfc6cn;

/** A run of elements that tensors are views into. */
interface Storage {
  readonly key: string;
  readonly dtype: DType;
  readonly length: number;
}

/** A tensor whose elements have not been read. */
interface View {
  readonly storage: Storage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

type Value = PickleValue<Storage | View>;

/**
 * Reads the tensors of a file, named by their path through nested dictionaries, for example
 * `model_state_dict.f.conv1.weight`. Whatever else the dictionaries hold is left out. Nothing in the file is executed.
 * @throws {FormatError} if it is damaged or names anything that tensors do not need.
 */
export async function parsePyTorch(bytes: Uint8Array<ArrayBuffer>): Promise<Map<string, NamedTensor>> {
  const isZip = bytes[0] === 0x50 && bytes[1] === 0x4b;
  const { contents, storages } = isZip ? await parseZip(bytes) : parseLegacy(bytes);
  const views = new Map<string, View>();
  collect(contents, "", views, new Set());
  for (const [name, view] of views) requireInside(name, view, storages);
  requireJustified(views, storages);
  return new Map([...views].map(([name, view]) => [name, materialise(view, storages)]));
}

/** Dictionaries inside dictionaries that tensors are looked for in. */
const deepest = 3;

/** Each dictionary is entered once: one that holds itself a thousand times would name a billion tensors. */
function collect(value: Value, path: string, views: Map<string, View>, entered: Set<Value>, depth = 0): void {
  if (isView(value)) {
    views.set(path, value);
  } else if (value instanceof Map && depth < deepest && !entered.has(value)) {
    entered.add(value);
    for (const [key, entry] of value) {
      if (typeof key === "string") {
        collect(entry, path === "" ? key : `${path}.${key}`, views, entered, depth + 1);
      }
    }
  }
}

/** How many times over tensors may use their storages. Tied weights do; thousands of copies of one fill the memory. */
const mostUses = 8;

function requireJustified(
  views: ReadonlyMap<string, View>,
  storages: ReadonlyMap<string, Uint8Array>,
): void {
  let [stored, used] = [0, 0];
  for (const { length } of storages.values()) stored += length;
  for (const { shape, storage } of views.values()) used += elements(shape) * elementBytes[storage.dtype];
  if (used > mostUses * stored) {
    throw new FormatError(
      `PyTorch: tensors of ${used} bytes share storages of ${stored}; the file is refused`,
    );
  }
}

function elements(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

async function parseZip(bytes: Uint8Array<ArrayBuffer>) {
  const archive = new ZipArchive(bytes);
  const pickleName = archive.names.find((name) => name.endsWith("/data.pkl") || name === "data.pkl");
  if (pickleName === undefined) throw new FormatError("PyTorch: the archive holds no data.pkl");
  const folder = pickleName.slice(0, -"data.pkl".length);
  if (archive.has(`${folder}byteorder`)) {
    const order = new TextDecoder().decode(await archive.read(`${folder}byteorder`)).trim();
    if (order !== "little") {
      throw new FormatError("PyTorch: the file is big-endian; save it on another machine");
    }
  }
  const keys = new Map<string, Storage>();
  const { value } = parsePickle(await archive.read(pickleName), reader(keys));
  const storages = new Map<string, Uint8Array>();
  for (const { key, dtype, length } of keys.values()) {
    const name = `${folder}data/${key}`;
    if (!archive.has(name)) throw new FormatError(`PyTorch: storage ${key} is missing`);
    // torch.save never compresses; a few compressed bytes could claim a thousand times as many.
    if (archive.isCompressed(name)) {
      throw new FormatError(
        `PyTorch: storage ${key} is compressed; unpack the archive and zip it without (zip -0)`,
      );
    }
    const data = await archive.read(name);
    if (data.length !== length * elementBytes[dtype]) {
      throw new FormatError(
        `PyTorch: storage ${key} has ${data.length} bytes, not those of ${length} elements`,
      );
    }
    storages.set(key, data);
  }
  return { contents: value, storages };
}

/** Pickles of a magic number, a version and the system, the contents, the storages' keys; then the storages. */
function parseLegacy(bytes: Uint8Array) {
  if (!startsWithMagic(bytes)) {
    throw new FormatError("PyTorch: neither a zip archive nor a file of torch.save");
  }
  const keys = new Map<string, Storage>();
  const plain = reader(new Map());
  const version = parsePickle(bytes, plain, magicEnd);
  if (version.value !== 1001) throw new FormatError(`PyTorch: unknown version of the format`);
  const system = parsePickle(bytes, plain, version.end);
  const isLittle = system.value instanceof Map && system.value.get("little_endian");
  if (isLittle !== true) throw new FormatError("PyTorch: the file is big-endian; save it on another machine");
  const contents = parsePickle(bytes, reader(keys), system.end);
  const order = parsePickle(bytes, plain, contents.end);
  const storages = new Map<string, Uint8Array>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = order.end;
  for (const key of Array.isArray(order.value) ? order.value : []) {
    const storage = keys.get(String(key));
    if (!storage || at + 8 > bytes.length) throw new FormatError("PyTorch: the list of storages is damaged");
    const length = Number(view.getBigInt64(at, true));
    const size = length * elementBytes[storage.dtype];
    if (length !== storage.length || at + 8 + size > bytes.length) {
      throw new FormatError(`PyTorch: storage ${storage.key} is truncated`);
    }
    storages.set(storage.key, bytes.subarray(at + 8, at + 8 + size));
    at += 8 + size;
  }
  return { contents: contents.value, storages };
}

/** PROTO 2, LONG1 of ten bytes, STOP. */
const magicBytes: readonly number[] = [
  0x80,
  2,
  0x8a,
  10,
  ...Array.from({ length: 10 }, (_, i) => Number((legacyMagic >> BigInt(8 * i)) & 0xffn)),
  0x2e,
];
const magicEnd = magicBytes.length;

function startsWithMagic(bytes: Uint8Array): boolean {
  return magicBytes.every((byte, i) => bytes[i] === byte);
}

/** Knows what describes tensors, and notes the storages that they lie in. */
function reader(storages: Map<string, Storage>): PickleReader<Storage | View> {
  return {
    allows: (global) => `${global}` in calls || isStorageType(global),
    call(global, args) {
      const call = calls[`${global}`];
      if (!call) throw new FormatError(`pickle: ${global} is called, which tensors do not need`);
      return call(args);
    },
    persistent(id) {
      const storage = storageOf(id);
      const known = storages.get(storage.key);
      if (known && (known.dtype !== storage.dtype || known.length !== storage.length)) {
        throw new FormatError(`PyTorch: storage ${storage.key} is described in two ways`);
      }
      storages.set(storage.key, storage);
      return storage;
    },
  };
}

function isStorageType({ module, name }: Global): boolean {
  return (module === "torch" || module === "torch.storage") && Object.hasOwn(storageTypes, name);
}

const calls: Readonly<Record<string, (args: readonly Value[]) => Value>> = {
  "collections.OrderedDict": () => new Map(),
  "torch._utils._rebuild_tensor_v2": ([storage, offset, shape, strides]) =>
    viewOf(storage, offset, shape, strides),
  "torch._utils._rebuild_parameter": ([tensor]) => {
    if (isView(tensor)) return tensor;
    throw new FormatError("PyTorch: a parameter is not a tensor");
  },
  "torch.Size": ([sizes]) => sizes ?? [],
};

/** The storage of an identifier ("storage", type, key, location, length, and in old files the part of another that it is). */
function storageOf(id: Value): Storage {
  const [kind, type, key, , length, part = null] = Array.isArray(id) ? id : [];
  if (
    kind !== "storage" || !(type instanceof Global) || typeof key !== "string" || !isSize(length) ||
    !isStorageType(type)
  ) {
    throw new FormatError("PyTorch: the description of a storage is damaged");
  }
  if (part !== null) {
    throw new FormatError(`PyTorch: storage ${key} is a part of another; save the file anew`);
  }
  return { key, dtype: storageTypes[type.name]!, length };
}

function viewOf(storage: Value | undefined, offset?: Value, shape?: Value, strides?: Value): View {
  if (!isStorage(storage) || !isSize(offset) || !isSizes(shape) || !isSizes(strides)) {
    throw new FormatError("PyTorch: the description of a tensor is damaged");
  }
  if (shape.length !== strides.length || shape.length > 16) {
    throw new FormatError(`PyTorch: a tensor of ${shape.length} dimensions with ${strides.length} strides`);
  }
  return { storage, offset, shape, strides };
}

function requireInside(
  name: string,
  { storage, offset, shape, strides }: View,
  storages: ReadonlyMap<string, Uint8Array>,
): void {
  if (!storages.has(storage.key)) throw new FormatError(`PyTorch: tensor ${name}: its storage is missing`);
  const count = elements(shape);
  const last = shape.reduce((sum, extent, axis) => sum + (extent - 1) * strides[axis]!, offset);
  // A tensor with more elements than its storage repeats them: no model does, but a hostile file would.
  if (count > storage.length || (count > 0 && last >= storage.length)) {
    throw new FormatError(`PyTorch: tensor ${name} of shape [${shape}] does not fit its storage`);
  }
}

/** Copies a view's elements, row by row. */
function materialise(
  { storage, offset, shape, strides }: View,
  storages: ReadonlyMap<string, Uint8Array>,
): NamedTensor {
  const source = storages.get(storage.key)!;
  const count = elements(shape);
  const width = elementBytes[storage.dtype];
  const data = new Uint8Array(count * width);
  const index = shape.map(() => 0);
  let from = offset;
  for (let i = 0; i < count; i++) {
    data.set(source.subarray(from * width, (from + 1) * width), i * width);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return { dtype: storage.dtype, shape, data };
}

function isStorage(value: unknown): value is Storage {
  return typeof value === "object" && value !== null && "dtype" in value;
}

function isView(value: unknown): value is View {
  return typeof value === "object" && value !== null && "strides" in value;
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && value as number >= 0;
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(isSize);
}
