import { ShapeError } from "../errors.ts";
import type { Context } from "./context.ts";
import { elements, type Tensor } from "./tensor.ts";

/** Some rows of a {@link PartedTensor}. */
export interface TensorPart {
  /** `[count, ...]`. */
  readonly tensor: Tensor;
  /** Index of its first row. */
  readonly first: number;
  readonly count: number;
}

/** Number of rows of a given size in bytes that a device can bind at once; at least one. */
export function rowsPerBinding(
  { maxStorageBufferBindingSize, maxBufferSize }: Pick<
    GPUSupportedLimits,
    "maxStorageBufferBindingSize" | "maxBufferSize"
  >,
  bytesPerRow: number,
): number {
  // The pool may round sizes up by a quarter.
  const largest = Math.min(maxStorageBufferBindingSize, Math.floor(maxBufferSize * 4 / 5));
  return Math.max(1, Math.floor((largest - 16) / bytesPerRow));
}

/** Float32 rows `[N, ...]`, initially zero, in as many tensors as the device's largest binding requires. */
export class PartedTensor {
  readonly parts: readonly TensorPart[];

  constructor(readonly context: Context, readonly shape: readonly [number, ...number[]]) {
    const [rows, ...row] = shape;
    const perPart = rowsPerBinding(context.gpu.device.limits, 4 * elements(row));
    const parts: TensorPart[] = [];
    for (let first = 0; first < rows; first += perPart) {
      const count = Math.min(perPart, rows - first);
      parts.push({ tensor: context.zeros([count, ...row]).disown(), first, count });
    }
    this.parts = parts;
  }

  /** Number of elements. */
  get size(): number {
    return elements(this.shape);
  }

  /** Reads all elements back; waits for the GPU. */
  async read(): Promise<Float32Array<ArrayBuffer>> {
    const contents = await this.context.read(this.parts.map(({ tensor }) => tensor));
    if (contents.length === 1) return contents[0]!;
    const all = new Float32Array(this.size);
    let end = 0;
    for (const values of contents) {
      all.set(values, end);
      end += values.length;
    }
    return all;
  }

  /**
   * Overwrites all elements, after all work recorded so far.
   * @throws {ShapeError} if the number of values differs.
   */
  write(values: Float32Array): void {
    if (values.length !== this.size) {
      throw new ShapeError(`${values.length} values for a tensor of shape [${this.shape}]`);
    }
    let end = 0;
    for (const { tensor } of this.parts) tensor.write(values.subarray(end, end += tensor.size));
  }

  /** Records a copy of the elements of `source` into the rows from `first` on. */
  copyRows(first: number, source: Tensor): void {
    const bytesPerRow = 4 * this.size / this.shape[0];
    const end = first + source.bytes / bytesPerRow;
    for (const part of this.parts) {
      const from = Math.max(first, part.first);
      const size = bytesPerRow * (Math.min(end, part.first + part.count) - from);
      if (size <= 0) continue;
      const [read, written] = [source.range(), part.tensor.range()];
      this.context.gpu.copy(
        { ...read, offset: read.offset + bytesPerRow * (from - first), size },
        { ...written, offset: written.offset + bytesPerRow * (from - part.first), size },
      );
    }
  }
}
