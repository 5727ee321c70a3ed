import { type DType, elementBytes } from "../safetensors.ts";

/** A type of elements. */
export interface ElementType {
  /** PyTorch's name. */
  readonly name: string;
  readonly bytes: number;
  /** Missing if elements of this type are not read. */
  readonly dtype?: DType;
}

/** The readable types by the names of PyTorch's storages. */
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

/** Bytes of an element of the other storages. */
const otherStorages: Readonly<Record<string, number>> = {
  UntypedStorage: 1,
  _UntypedStorage: 1,
  ComplexFloatStorage: 8,
  ComplexDoubleStorage: 16,
  QInt8Storage: 1,
  QUInt8Storage: 1,
  QInt32Storage: 4,
  QUInt4x2Storage: 1,
  QUInt2x4Storage: 1,
};

/** The types that tensors of bytes (`_rebuild_tensor_v3`) may be of. */
const tensorTypes: Readonly<Record<string, DType | number>> = {
  float32: "F32",
  float64: "F64",
  float16: "F16",
  bfloat16: "BF16",
  int64: "I64",
  int32: "I32",
  int16: "I16",
  int8: "I8",
  uint8: "U8",
  bool: "BOOL",
  uint16: "U16",
  uint32: "U32",
  uint64: "U64",
  float8_e4m3fn: "F8_E4M3",
  float8_e5m2: "F8_E5M2",
  complex32: 4,
  complex64: 8,
  complex128: 16,
};

/** The type of a storage's elements; undefined if PyTorch has none with this name. */
export function storageType(name: string): ElementType | undefined {
  const dtype = Object.hasOwn(storageTypes, name) ? storageTypes[name] : undefined;
  if (dtype) return { name, bytes: elementBytes[dtype], dtype };
  const bytes = Object.hasOwn(otherStorages, name) ? otherStorages[name] : undefined;
  return bytes === undefined ? undefined : { name, bytes };
}

/** The type called `torch.…`. For an unknown one any size will do, since it is not read. */
export function tensorType(name: string): ElementType {
  const type = Object.hasOwn(tensorTypes, name) ? tensorTypes[name]! : 1;
  return typeof type === "number" ? { name, bytes: type } : { name, bytes: elementBytes[type], dtype: type };
}
