/** What a PyTorch file's pickle says about tensors: storages, and views into them. */

import type { PickleReader, PickleValue } from "./pickle_objects.ts";
import { Global } from "./pickle_names.ts";
import { type ElementType, storageType, tensorType } from "./types.ts";
import type { DType, NamedTensor } from "../safetensors.ts";

/** A run of elements that tensors are views of. */
export class Storage {
  constructor(
    readonly key: string,
    readonly type: ElementType,
    /** Number of elements. */
    readonly length: number,
    /** The reason if it cannot be read. */
    readonly flaw?: string,
  ) {}

  get bytes(): number {
    return this.length * this.type.bytes;
  }
}

/** A tensor whose elements have not been read. */
export class View {
  constructor(
    /** Missing only if there is a flaw. */
    readonly storage: Storage | undefined,
    readonly type: ElementType,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
    /** The reason if it cannot be read, to follow "tensor NAME". */
    readonly flaw?: string,
  ) {}

  get elements(): number {
    return this.shape.reduce((product, extent) => product * extent, 1);
  }
}

/** The contents of a PyTorch file's pickle. */
export type TorchValue = PickleValue<Storage | View>;
type Arguments = readonly TorchValue[];

/** More dimensions than any model has. */
const maximumRank = 16;
/** With a few more dimensions, the message gives their number. */
const mostSizes = 100;

/** Recognises what describes tensors, and notes the storages that hold them. */
export function tensorReader(storages: Map<string, Storage>): PickleReader<Storage | View> {
  return {
    call,
    persistent(id) {
      const storage = storageOf(id);
      if (!storage) return classOf(id);
      const known = storages.get(storage.key);
      if (!known) {
        storages.set(storage.key, storage);
        return storage;
      }
      if (known.type.name === storage.type.name && known.length === storage.length) return known;
      return new Storage(storage.key, storage.type, storage.length, "is described in two ways");
    },
  };
}

function call(global: Global, args: Arguments): TorchValue | undefined {
  const name = `${global}`;
  return Object.hasOwn(calls, name) ? calls[name]!(args) : undefined;
}

const calls: Readonly<Record<string, (args: Arguments) => TorchValue | undefined>> = {
  "torch._utils._rebuild_tensor": ([storage, offset, shape, strides]) =>
    viewOf(storage, offset, shape, strides),
  "torch._utils._rebuild_tensor_v2": ([storage, offset, shape, strides, , , metadata]) =>
    viewOf(storage, offset, shape, strides, undefined, metadata),
  "torch._utils._rebuild_tensor_v3": ([storage, offset, shape, strides, , , type, metadata]) =>
    viewOf(storage, offset, shape, strides, type, metadata),
  "torch._utils._rebuild_parameter": ([tensor]) => tensor,
  "torch._utils._rebuild_parameter_with_state": ([tensor]) => tensor,
  "torch._tensor._rebuild_from_type": ([rebuild, , args]) => rebuilt(rebuild, args),
  "torch._tensor._rebuild_from_type_v2": ([rebuild, , args]) => rebuilt(rebuild, args),
  "torch.Size": ([sizes]) => sizes ?? [],
};

/** A tensor of another class, given by the tensor that it is made from. */
function rebuilt(rebuild: TorchValue | undefined, args: TorchValue | undefined): TorchValue | undefined {
  const nested = rebuild instanceof Global && !`${rebuild}`.includes("_rebuild_from_type");
  return nested && Array.isArray(args) ? call(rebuild, args) : undefined;
}

/**
 * Old files put the class of a whole network into an identifier, ("module", class, file, source). Nothing else is
 * known.
 */
function classOf(id: TorchValue): TorchValue {
  const [kind, type] = Array.isArray(id) ? id : [];
  return kind === "module" && type instanceof Global ? type : [];
}

/**
 * The storage of an identifier ("storage", type, key, location, length, and in old files the part of another storage
 * that it is).
 */
function storageOf(id: TorchValue): Storage | undefined {
  const [kind, type, key, , length, part = null] = Array.isArray(id) ? id : [];
  const known = type instanceof Global && ["torch", "torch.storage", "torch.cuda"].includes(type.module)
    ? storageType(type.name)
    : undefined;
  if (kind !== "storage" || !known || typeof key !== "string" || !isSize(length)) return undefined;
  return new Storage(
    key,
    known,
    length,
    part === null ? undefined : "is a part of another; save the file anew",
  );
}

function viewOf(
  storage: TorchValue | undefined,
  offset: TorchValue | undefined,
  shape: TorchValue | undefined,
  strides: TorchValue | undefined,
  type?: TorchValue,
  metadata?: TorchValue,
): View {
  const ofBytes = type instanceof Global;
  const known = ofBytes
    ? tensorType(type.name)
    : storage instanceof Storage
    ? storage.type
    : tensorType("unknown");
  if (!(storage instanceof Storage) || !isSize(offset) || !isSizes(shape) || !isSizes(strides)) {
    return new View(undefined, known, 0, [], [], "cannot be read: the description of a tensor is damaged");
  }
  const flawed = (flaw?: string) => new View(storage, known, offset, shape, strides, flaw);
  if (shape.length !== strides.length || shape.length > maximumRank) {
    return flawed(`has ${shape.length} dimensions with ${strides.length} strides`);
  }
  if (storage.flaw !== undefined) return flawed(`cannot be read: storage ${storage.key} ${storage.flaw}`);
  if (metadata instanceof Map && (metadata.get("neg") === true || metadata.get("conj") === true)) {
    return flawed(
      "has elements that are stored negated or conjugated; save it after resolve_neg().resolve_conj()",
    );
  }
  const count = shape.reduce((product, extent) => product * extent, 1);
  const room = storage.bytes / known.bytes;
  const last = shape.reduce((sum, extent, axis) => sum + (extent - 1) * strides[axis]!, offset);
  // A tensor with more elements than its storage repeats them. No model does that, but a hostile file would.
  if (count > room || (count > 0 && last >= room)) {
    return flawed(`of shape [${shape}] does not fit its storage`);
  }
  return flawed();
}

/** The element type as a tensor file names it, for example F32. */
export function typeName({ type }: View): string {
  return type.dtype ?? type.name.replace(/Storage$/, "");
}

/**
 * A view's elements, copied row by row; a whole storage in order is not copied.
 * @param source the storage's bytes
 */
export function materialise(view: View, dtype: DType, source: Uint8Array): NamedTensor {
  const { type: { bytes: width }, offset, shape, strides, elements: count } = view;
  if (isContiguous(view)) {
    const isWhole = count * width === source.length;
    return { dtype, shape, data: isWhole ? source : source.slice(offset * width, (offset + count) * width) };
  }
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
  return { dtype, shape, data };
}

function isContiguous({ shape, strides }: View): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && value as number >= 0;
}

/** A long list, which could be named again and again, is not searched. */
function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.length <= mostSizes && value.every(isSize);
}
