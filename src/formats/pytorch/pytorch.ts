/**
 * Files that PyTorch's `torch.save` writes: zip archives, and the format of versions before 1.6. Both hold a pickle that
 * describes tensors as views into numbered storages.
 */

import { FormatError } from "../../errors.ts";
import { longestPackedPickle, pickleBudget } from "../budget.ts";
import { parsePickle } from "./pickle.ts";
import { type Contents, contentsOf } from "./contents.ts";
import { materialise, type Storage, tensorReader, typeName } from "./tensors.ts";
import type { NamedTensor } from "../safetensors.ts";
import type { TensorDescription, TensorFile } from "../tensor_file.ts";
import { ZipArchive } from "../archives/zip.ts";

/** The first pickle of the old format. */
const legacyMagic = 0x1950a86a20f9469cfc6cn;
/** The second. */
const legacyVersion = 1001;

/** Whether a file is to be opened by {@link openPyTorch}: it is a zip archive, or a pickle. */
export function isPyTorch(bytes: Uint8Array): boolean {
  // A safetensors file begins with the length of its header, whose upper four bytes are zero.
  const isPickle = bytes[0] === 0x80 && bytes[1]! <= 5 && bytes.subarray(4, 8).some((byte) => byte !== 0);
  return isZip(bytes) || isPickle || legacyStart(bytes) !== undefined;
}

/**
 * Opens a file of `torch.save`. Tensors are named by their path through nested dictionaries, for example
 * `model_state_dict.f.conv1.weight`. Nothing in the file is executed, and no tensor is read yet.
 * @throws {FormatError} if its structure is damaged, or it names what runs code.
 */
export async function openPyTorch(bytes: Uint8Array<ArrayBuffer>): Promise<TensorFile> {
  return isZip(bytes) ? await openZip(bytes) : openLegacy(bytes);
}

/**
 * Reads all tensors of a file, named as by {@link openPyTorch}.
 * @throws {FormatError} if it or one of them is damaged.
 */
export async function parsePyTorch(bytes: Uint8Array<ArrayBuffer>): Promise<Map<string, NamedTensor>> {
  const file = await openPyTorch(bytes);
  return await file.read(file.tensors.keys());
}

/** Bytes of the file that says "little" or "big". */
const longestOrder = 64;
/** How many times over tensors may use their storages. Tied weights do; thousands of copies of one fill the memory. */
const mostUses = 8;

class PyTorchFile implements TensorFile {
  readonly tensors: ReadonlyMap<string, TensorDescription>;
  readonly #contents: Contents;
  readonly #fetch: (storage: Storage) => Promise<Uint8Array>;
  readonly #fetched = new Map<string, Promise<Uint8Array>>();

  /** @param fetch gives a storage's bytes; throws a `FormatError` if they are not there */
  constructor(contents: Contents, fetch: (storage: Storage) => Promise<Uint8Array>) {
    this.#contents = contents;
    this.#fetch = fetch;
    this.tensors = new Map(
      [...contents.views].map(([name, view]) => [name, { dtype: typeName(view), shape: view.shape }]),
    );
  }

  get others(): readonly string[] {
    return this.#contents.others;
  }

  get aliases(): ReadonlyMap<string, string> {
    return this.#contents.aliases;
  }

  async read(names: Iterable<string>): Promise<Map<string, NamedTensor>> {
    const chosen = [...names];
    this.#requireJustified(chosen);
    const read = new Map<string, NamedTensor>();
    for (const name of chosen) {
      const { view, storage, dtype } = this.#readable(name);
      read.set(name, materialise(view, dtype, await this.#storage(storage)));
    }
    return read;
  }

  #readable(name: string) {
    const view = this.#contents.views.get(name);
    if (!view) throw new FormatError(`PyTorch: there is no tensor ${name}`);
    const { storage, flaw, type: { dtype } } = view;
    if (flaw !== undefined || !storage) throw new FormatError(`PyTorch: tensor ${name} ${flaw}`);
    if (dtype) return { view, storage, dtype };
    throw new FormatError(
      `PyTorch: tensor ${name} has elements of type ${typeName(view)}, which are not read`,
    );
  }

  #storage(storage: Storage): Promise<Uint8Array> {
    const known = this.#fetched.get(storage.key);
    if (known) return known;
    const fetched = this.#fetch(storage);
    this.#fetched.set(storage.key, fetched);
    return fetched;
  }

  #requireJustified(names: readonly string[]): void {
    const stored = new Map<string, number>();
    let used = 0;
    for (const name of names) {
      const { view, storage } = this.#readable(name);
      used += view.elements * view.type.bytes;
      stored.set(storage.key, storage.bytes);
    }
    const total = [...stored.values()].reduce((sum, bytes) => sum + bytes, 0);
    if (used > mostUses * total) {
      throw new FormatError(
        `PyTorch: tensors of ${used} bytes share storages of ${total}; the file is refused`,
      );
    }
  }
}

function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b;
}

async function openZip(bytes: Uint8Array<ArrayBuffer>): Promise<TensorFile> {
  const archive = new ZipArchive(bytes);
  const pickleName = archive.names.find((name) => name.endsWith("/data.pkl") || name === "data.pkl");
  if (pickleName === undefined) throw new FormatError("PyTorch: the archive holds no data.pkl");
  const folder = pickleName.slice(0, -"data.pkl".length);
  if (archive.has(`${folder}byteorder`)) {
    const order = new TextDecoder().decode(await archive.read(`${folder}byteorder`, longestOrder)).trim();
    if (order !== "little") {
      throw new FormatError("PyTorch: the file is big-endian; save it on another machine");
    }
  }
  const pickle = await archive.read(pickleName, longestPackedPickle);
  const { value } = parsePickle(pickle, tensorReader(new Map()), pickleBudget(archive.names.length));
  return new PyTorchFile(contentsOf(value), async ({ key, length, bytes }) => {
    const name = `${folder}data/${key}`;
    if (!archive.has(name)) throw new FormatError(`PyTorch: storage ${key} is missing`);
    // torch.save never compresses; a few compressed bytes could claim a thousand times as many.
    if (archive.isCompressed(name)) {
      throw new FormatError(
        `PyTorch: storage ${key} is compressed; unpack the archive and zip it without (zip -0)`,
      );
    }
    const data = await archive.read(name, bytes);
    if (data.length !== bytes) {
      throw new FormatError(
        `PyTorch: storage ${key} has ${data.length} bytes, not those of ${length} elements`,
      );
    }
    return data;
  });
}

/** Pickles of a magic number, a version and the system, the contents, the storages' keys; then the storages. */
function openLegacy(bytes: Uint8Array): TensorFile {
  const magicEnd = legacyStart(bytes);
  if (magicEnd === undefined) {
    throw new FormatError("PyTorch: neither a zip archive nor a file of torch.save");
  }
  const plain = tensorReader(new Map());
  // Each storage has at least the eight bytes of its length, and the pickle says more of it than that.
  const budget = pickleBudget(bytes.length / 64);
  const version = parsePickle(bytes, plain, budget, magicEnd);
  if (version.value !== legacyVersion) throw new FormatError(`PyTorch: unknown version of the format`);
  const system = parsePickle(bytes, plain, budget, version.end);
  const isLittle = system.value instanceof Map && system.value.get("little_endian");
  if (isLittle !== true) throw new FormatError("PyTorch: the file is big-endian; save it on another machine");
  const known = new Map<string, Storage>();
  const contents = parsePickle(bytes, tensorReader(known), budget, system.end);
  const order = parsePickle(bytes, plain, budget, contents.end);
  const keys = Array.isArray(order.value) ? order.value.filter((key) => typeof key === "string") : [];
  const storages = legacyStorages(bytes, order.end, keys, known);
  return new PyTorchFile(contentsOf(contents.value), ({ key }) => {
    const data = storages.get(key);
    return data
      ? Promise.resolve(data)
      : Promise.reject(new FormatError(`PyTorch: storage ${key} is missing or truncated`));
  });
}

/** The storages up to the first that is not there, or is not what the contents say: nothing tells where the next begins. */
function legacyStorages(
  bytes: Uint8Array,
  start: number,
  keys: readonly string[],
  known: ReadonlyMap<string, Storage>,
): Map<string, Uint8Array> {
  const storages = new Map<string, Uint8Array>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = start;
  for (const key of keys) {
    const storage = known.get(key);
    if (!storage || at + 8 > bytes.length) break;
    const end = at + 8 + storage.bytes;
    if (Number(view.getBigInt64(at, true)) !== storage.length || end > bytes.length) break;
    storages.set(key, bytes.subarray(at + 8, end));
    at = end;
  }
  return storages;
}

/** Where the old format's magic number ends, if the file begins with it; protocols 0 to 5 write it in three ways. */
function legacyStart(bytes: Uint8Array): number | undefined {
  const digits = Array.from({ length: 10 }, (_, i) => Number((legacyMagic >> BigInt(8 * i)) & 0xffn));
  const long = [0x8a, digits.length, ...digits, 0x2e];
  const frame = [0x95, long.length, 0, 0, 0, 0, 0, 0, 0];
  const starts = [
    [...new TextEncoder().encode(`L${legacyMagic}L\n.`)],
    ...[2, 3].map((protocol) => [0x80, protocol, ...long]),
    ...[4, 5].map((protocol) => [0x80, protocol, ...frame, ...long]),
  ];
  return starts.find((start) => start.every((byte, i) => bytes[i] === byte))?.length;
}
