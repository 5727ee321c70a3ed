/** Bytes of one element, by the format's names of element types. */
export const elementBytes = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
} as const;

/** Element types of the format. */
export type DType = keyof typeof elementBytes;

/** A tensor as the file holds it: row-major, little-endian. */
export interface NamedTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** The elements' bytes. For a file in memory they are a view into it, which need not be aligned to the elements. */
  readonly data: Uint8Array;
}
