import { FormatError } from "../../errors.ts";
import { storageTypes } from "./types.ts";
import { type DType, elementBytes, type NamedTensor } from "../safetensors.ts";
import { zip } from "../archives/zip_writer.ts";

/** Tensors by name, or dictionaries of them. */
export type PyTorchContents = ReadonlyMap<string, NamedTensor | ReadonlyMap<string, NamedTensor>>;

/** The alignment that PyTorch gives the storages' data. */
const alignment = 64;
const folder = "archive";

/**
 * A file that `torch.load` reads, `{name: tensor, ...}` with dictionaries as `OrderedDict`s, in the zip format. The same
 * contents give the same bytes.
 * @throws {FormatError} if PyTorch has no such element type.
 */
export function serializePyTorch(contents: PyTorchContents): Uint8Array<ArrayBuffer> {
  const pickle = new PickleWriter();
  const storages: Uint8Array[] = [];
  const tensor = (value: NamedTensor) => pickle.tensor(value, storages.push(value.data) - 1);
  pickle.begin();
  pickle.dictionary(contents, (value) => {
    if (value instanceof Map) pickle.orderedDictionary(value, tensor);
    else tensor(value as NamedTensor);
  });
  const text = (value: string) => new TextEncoder().encode(value);
  return zip(
    new Map([
      [`${folder}/data.pkl`, pickle.end()],
      [`${folder}/byteorder`, text("little")],
      ...storages.map((data, i): [string, Uint8Array] => [`${folder}/data/${i}`, data]),
      [`${folder}/version`, text("3\n")],
    ]),
    { alignment },
  );
}

/** Writes the few operations of pickle protocol 2 that describe tensors. */
class PickleWriter {
  readonly #bytes: number[] = [];

  begin(): void {
    this.#bytes.push(0x80, 2);
  }

  end(): Uint8Array {
    this.#bytes.push(0x2e);
    return Uint8Array.from(this.#bytes);
  }

  dictionary<Value>(entries: ReadonlyMap<string, Value>, write: (value: Value) => void): void {
    this.#bytes.push(0x7d);
    this.#entries(entries, write);
  }

  orderedDictionary<Value>(entries: ReadonlyMap<string, Value>, write: (value: Value) => void): void {
    this.#emptyOrderedDictionary();
    this.#entries(entries, write);
  }

  /**
   * `_rebuild_tensor_v2(storage, 0, shape, strides, False, OrderedDict())`, contiguous in the storage with this key.
   */
  tensor({ dtype, shape, data }: NamedTensor, key: number): void {
    this.#global("torch._utils", "_rebuild_tensor_v2");
    this.#bytes.push(0x28, 0x28);
    this.#text("storage");
    this.#global("torch", storageName(dtype));
    this.#text(String(key));
    this.#text("cpu");
    this.#integer(data.length / elementBytes[dtype]);
    this.#bytes.push(0x74, 0x51);
    this.#integer(0);
    this.#sizes(shape);
    this.#sizes(
      shape.map((_, axis) => shape.slice(axis + 1).reduce((product, extent) => product * extent, 1)),
    );
    this.#bytes.push(0x89);
    this.#emptyOrderedDictionary();
    this.#bytes.push(0x74, 0x52);
  }

  #entries<Value>(entries: ReadonlyMap<string, Value>, write: (value: Value) => void): void {
    this.#bytes.push(0x28);
    for (const [key, value] of entries) {
      this.#text(key);
      write(value);
    }
    this.#bytes.push(0x75);
  }

  #emptyOrderedDictionary(): void {
    this.#global("collections", "OrderedDict");
    this.#bytes.push(0x29, 0x52);
  }

  #global(module: string, name: string): void {
    this.#bytes.push(0x63, ...new TextEncoder().encode(`${module}\n${name}\n`));
  }

  #text(value: string): void {
    const bytes = new TextEncoder().encode(value);
    this.#bytes.push(0x58, ...littleEndian(bytes.length), ...bytes);
  }

  #integer(value: number): void {
    if (value >= 2 ** 31) {
      throw new FormatError(`PyTorch: a tensor of ${value} elements is too large to be written`);
    }
    this.#bytes.push(0x4a, ...littleEndian(value));
  }

  #sizes(sizes: readonly number[]): void {
    this.#bytes.push(0x28);
    for (const size of sizes) this.#integer(size);
    this.#bytes.push(0x74);
  }
}

function littleEndian(value: number): number[] {
  return [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff);
}

function storageName(dtype: DType): string {
  const found = Object.entries(storageTypes).find(([, type]) => type === dtype);
  if (!found) throw new FormatError(`PyTorch: there are no tensors of type ${dtype}`);
  return found[0];
}
