import type { Tensor } from "../tensor/tensor.ts";

/** Images of a data set in one GPU buffer: bytes, `[count, H, W, C]`, four to a word. */
export interface ImageBuffer {
  readonly bytes: Tensor;
  /** Index of the buffer's first image in the data set. */
  readonly first: number;
  readonly count: number;
}
