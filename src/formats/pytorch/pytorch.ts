/**
 * Files that PyTorch's `torch.save` writes: zip archives, and the format of versions before 1.6. Both hold a pickle that
 * describes tensors as views into numbered storages.
 */

import { FormatError } from "../../errors.ts";
import { longestPackedPickle, longestPickle, looseStorageBytes, pickleBudget } from "../budget.ts";
import { beginningOf, type ByteSource, sourceOf } from "../byte_source.ts";
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

/** First bytes of a file, enough to tell what it is. */
const signatureBytes = 64;

/** Whether {@link openPyTorch} can open a file: it is a zip archive, or a pickle. */
export function isPyTorch(file: ByteSource | Uint8Array): boolean {
  const bytes = beginningOf(sourceOf(file), signatureBytes);
  // A safetensors file begins with the length of its header, whose upper four bytes are zero.
  const isPickle = bytes[0] === 0x80 && bytes[1]! <= 5 && bytes.subarray(4, 8).some((byte) => byte !== 0);
  return isZip(bytes) || isPickle || legacyStart(bytes) !== undefined;
}

/**
 * Opens a file of `torch.save`. Tensors are named by their path through nested dictionaries, for example
 * `model_state_dict.f.conv1.weight`. Nothing in the file is executed, and no tensor is read yet.
 * @throws {FormatError} if its structure is damaged, or it names code to run.
 */
export async function openPyTorch(file: ByteSource | Uint8Array): Promise<TensorFile> {
  const source = sourceOf(file);
  return isZip(beginningOf(source, signatureBytes)) ? await openZip(source) : openLegacy(source);
}

/**
 * Reads all tensors of a file, with the names of {@link openPyTorch}.
 * @throws {FormatError} if it or one of them is damaged.
 */
export async function parsePyTorch(file: ByteSource | Uint8Array): Promise<Map<string, NamedTensor>> {
  const opened = await openPyTorch(file);
  return await opened.read(opened.tensors.keys());
}

/** Bytes of the file that says "little" or "big". */
const longestOrder = 64;
/**
 * How many times over tensors may use their storages, and by how much storages may exceed the tensors in them. Tied
 * weights use a storage twice; thousands of copies of one would fill the memory.
 */
const mostTimes = 8;
/** Number of kept storages with several tensors. The tensors of two state dicts are read in turn. */
const mostKept = 2;

class PyTorchFile implements TensorFile {
  readonly tensors: ReadonlyMap<string, TensorDescription>;
  readonly #contents: Contents;
  readonly #fetch: (storage: Storage) => Promise<Uint8Array>;
  /** Storages that hold several tensors. */
  readonly #shared: ReadonlySet<string>;
  readonly #kept = new Map<string, Uint8Array>();

  /** @param fetch returns a storage's bytes; throws a `FormatError` if they are not there */
  constructor(contents: Contents, fetch: (storage: Storage) => Promise<Uint8Array>) {
    this.#contents = contents;
    this.#fetch = fetch;
    this.tensors = new Map(
      [...contents.views].map(([name, view]) => [name, { dtype: typeName(view), shape: view.shape }]),
    );
    const users = Map.groupBy(contents.views.values(), ({ storage }) => storage?.key ?? "");
    this.#shared = new Set([...users].filter(([, views]) => views.length > 1).map(([key]) => key));
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
    for (const own of Map.groupBy(chosen, (name) => this.#readable(name).storage.key).values()) {
      for (const name of own) {
        const { view, storage, dtype } = this.#readable(name);
        read.set(name, materialise(view, dtype, await this.#storage(storage)));
      }
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

  async #storage(storage: Storage): Promise<Uint8Array> {
    const { key } = storage;
    const bytes = this.#kept.get(key) ?? await this.#fetch(storage);
    if (!this.#shared.has(key)) return bytes;
    this.#kept.delete(key);
    this.#kept.set(key, bytes);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > mostKept) this.#kept.delete(oldest!);
    return bytes;
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
    if (used > mostTimes * total || total > mostTimes * used + looseStorageBytes) {
      throw new FormatError(
        `PyTorch: tensors of ${used} bytes share storages of ${total}; the file is refused`,
      );
    }
  }
}

function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b;
}

async function openZip(source: ByteSource): Promise<TensorFile> {
  const archive = new ZipArchive(source);
  const pickleName = archive.names.find((name) => name.endsWith("/data.pkl") || name === "data.pkl");
  if (pickleName === undefined) throw new FormatError("PyTorch: the archive holds no data.pkl");
  const folder = pickleName.slice(0, -"data.pkl".length);
  if (archive.has(`${folder}byteorder`)) {
    const order = new TextDecoder().decode(await archive.read(`${folder}byteorder`, longestOrder)).trim();
    if (order !== "little") {
      throw new FormatError("PyTorch: the file is big-endian; save it on another machine");
    }
  }
  const longest = archive.isCompressed(pickleName) ? longestPackedPickle : longestPickle;
  const pickle = await archive.read(pickleName, longest);
  const { value } = parsePickle(pickle, tensorReader(new Map()), pickleBudget(archive.names.length));
  return new PyTorchFile(contentsOf(value), async ({ key, length, bytes }) => {
    const name = `${folder}data/${key}`;
    if (!archive.has(name)) throw new FormatError(`PyTorch: storage ${key} is missing`);
    // torch.save never compresses. A few compressed bytes could claim a thousand times their number.
    if (archive.isCompressed(name)) {
      throw new FormatError(
        `PyTorch: storage ${key} is compressed; unpack the archive and zip it without (zip -0)`,
      );
    }
    const size = archive.size(name);
    if (size !== bytes) {
      throw new FormatError(`PyTorch: storage ${key} has ${size} bytes, not those of ${length} elements`);
    }
    return await archive.read(name, bytes);
  });
}

/** Pickles of a magic number, a version and the system, the contents, the storages' keys; then the storages. */
function openLegacy(source: ByteSource): TensorFile {
  const bytes = beginningOf(source, longestPickle);
  const magicEnd = legacyStart(bytes);
  if (magicEnd === undefined) {
    throw new FormatError("PyTorch: neither a zip archive nor a file of torch.save");
  }
  const plain = tensorReader(new Map());
  // Each storage has at least the eight bytes of its length, and the pickle needs more than that to describe it.
  const budget = pickleBudget(source.size / 64);
  const version = parsePickle(bytes, plain, budget, magicEnd);
  if (version.value !== legacyVersion) throw new FormatError(`PyTorch: unknown version of the format`);
  const system = parsePickle(bytes, plain, budget, version.end);
  const isLittle = system.value instanceof Map && system.value.get("little_endian");
  if (isLittle !== true) throw new FormatError("PyTorch: the file is big-endian; save it on another machine");
  const known = new Map<string, Storage>();
  const contents = parsePickle(bytes, tensorReader(known), budget, system.end);
  const order = parsePickle(bytes, plain, budget, contents.end);
  const keys = Array.isArray(order.value) ? order.value.filter((key) => typeof key === "string") : [];
  const places = legacyStorages(source, order.end, keys, known);
  return new PyTorchFile(contentsOf(contents.value), ({ key, bytes }) => {
    const begin = places.get(key);
    return begin === undefined
      ? Promise.reject(new FormatError(`PyTorch: storage ${key} is missing or truncated`))
      : Promise.resolve(source.read(begin, begin + bytes));
  });
}

/**
 * Where the storages begin, up to the first one that is missing or does not match the contents, because then nothing
 * tells where the next one begins.
 */
function legacyStorages(
  source: ByteSource,
  start: number,
  keys: readonly string[],
  known: ReadonlyMap<string, Storage>,
): Map<string, number> {
  const places = new Map<string, number>();
  let at = start;
  for (const key of keys) {
    const storage = known.get(key);
    if (!storage || at + 8 + storage.bytes > source.size) break;
    const { buffer, byteOffset } = source.read(at, at + 8);
    if (Number(new DataView(buffer, byteOffset).getBigInt64(0, true)) !== storage.length) break;
    places.set(key, at + 8);
    at += 8 + storage.bytes;
  }
  return places;
}

/** Where the old format's magic number ends, if the file begins with it. Protocols 0 to 5 write it in three ways. */
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
