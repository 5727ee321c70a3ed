/**
 * Types of a tensor's elements. float16 halves memory. Operations take it where they say so, and compute in float32.
 */
export type ElementType = "float32" | "uint32" | "float16";

/** Bytes of an element. */
export function elementBytes(type: ElementType): number {
  return type === "float16" ? 2 : 4;
}

/** Bytes that kernels bind for a number of elements, rounded up to whole vectors of four. */
export function boundBytes(size: number, type: ElementType): number {
  return Math.ceil(size / 4) * 4 * elementBytes(type);
}
