import { GpuError, ShapeError } from "../errors.ts";
import type { PooledBuffer } from "../gpu/buffer_pool.ts";
import type { BufferRange } from "../gpu/command.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { Context } from "./context.ts";
import { boundBytes, elementBytes, type ElementType } from "./element_type.ts";
import type { Bindable } from "./launch.ts";

/** Where a tensor's elements are: in memory borrowed from the pool, or inside another tensor. */
export type Placement =
  | { readonly pooled: PooledBuffer; readonly release: () => void }
  | { readonly parent: Tensor; readonly byteOffset: number };

/**
 * An array of elements on the GPU, dense and row-major; images are `[N, H, W, C]`.
 *
 * A tensor is freed when its creator has disposed of it (by `using`, {@link dispose}, or the end of the enclosing
 * {@link Context.scope}) and nobody who {@link retain}ed it, such as a tape, still needs it.
 */
export class Tensor implements Bindable, Disposable {
  /** Number of elements. */
  readonly size: number;
  #references = 1;
  #ownedByCreator = true;

  /** Use the factories of {@link Context}. */
  constructor(
    readonly context: Context,
    readonly shape: readonly number[],
    readonly type: ElementType,
    readonly placement: Placement,
  ) {
    this.size = elements(shape);
    if (type !== "float16") return;
    requireType(context.gpu, type);
    assertShapes(this.size % 4 === 0, "float16 tensors have a multiple of 4 elements", this);
  }

  /** Bytes of all elements. */
  get bytes(): number {
    return this.size * elementBytes(this.type);
  }

  /** The bytes that kernels bind: all elements, rounded up to whole vectors of four. */
  range(): BufferRange {
    const size = boundBytes(this.size, this.type);
    if ("pooled" in this.placement) return { buffer: this.placement.pooled.buffer, offset: 0, size };
    const parent = this.placement.parent.range();
    return { buffer: parent.buffer, offset: parent.offset + this.placement.byteOffset, size };
  }

  /** Whether someone other than the last holder still needs the contents as they are. */
  get shared(): boolean {
    return this.#references > 1;
  }

  /**
   * A tensor of the given shape inside this one, starting at an element that the device can bind
   * (a multiple of 64 elements always is, or of 128 if they are float16).
   * @throws {ShapeError} if it does not fit or cannot be bound there.
   */
  slice(start: number, shape: readonly number[]): Tensor {
    const alignment = this.context.gpu.device.limits.minStorageBufferOffsetAlignment;
    const end = start + elements(shape);
    if (start < 0 || end > this.size) {
      throw new ShapeError(`elements ${start} to ${end} lie outside a tensor of ${this.size}`);
    }
    if (start * elementBytes(this.type) % alignment !== 0) {
      throw new ShapeError(
        `element ${start} is not at a multiple of ${alignment} bytes, so it cannot be bound`,
      );
    }
    return this.#within(start, shape);
  }

  /** The same elements under another shape. */
  reshape(shape: readonly number[]): Tensor {
    if (elements(shape) !== this.size) {
      throw new ShapeError(`[${this.shape}] cannot be reshaped to [${shape}]`);
    }
    return this.#within(0, shape);
  }

  /** Reads the elements back as float32; waits for the GPU. */
  async read(): Promise<Float32Array<ArrayBuffer>> {
    return (await this.context.read([this]))[0]!;
  }

  /**
   * Overwrites the elements, after all work recorded so far. float16 elements get the nearest value.
   * @throws {ShapeError} if the number of values differs.
   */
  write(values: Float32Array | Uint32Array): void {
    if (values.length !== this.size) {
      throw new ShapeError(`${values.length} values for a tensor of shape [${this.shape}]`);
    }
    const stored = this.type === "float16" ? new Uint32Array(new Float16Array(values).buffer) : values;
    this.context.gpu.write(this.range(), stored);
  }

  /** Records a copy of all elements of `source`, which has the same size and type, into this tensor. */
  copyFrom(source: Tensor): void {
    if (source.size !== this.size || source.type !== this.type) {
      throw new ShapeError(`cannot copy ${source.type} [${source.shape}] into ${this.type} [${this.shape}]`);
    }
    const size = this.bytes;
    this.context.gpu.copy({ ...source.range(), size }, { ...this.range(), size });
  }

  /** Records zeroing of all elements. */
  clear(): void {
    this.context.gpu.clear({ ...this.range(), size: this.bytes });
  }

  /** Keeps the contents alive until a matching {@link release}. */
  retain(): this {
    this.#references++;
    return this;
  }

  /** Undoes one {@link retain}, and frees the memory when nobody is left. */
  release(): void {
    if (--this.#references > 0) return;
    if ("pooled" in this.placement) this.placement.release();
    else this.placement.parent.release();
  }

  /** Makes the holder of one reference the creator: from now on the tensor is disposed of, not released. */
  own(): this {
    this.#ownedByCreator = true;
    this.context.adopt(this);
    return this;
  }

  /** Turns the creator's ownership into a plain reference, which {@link release} gives back. */
  disown(): this {
    this.#ownedByCreator = false;
    this.context.forget(this);
    return this;
  }

  /** Ends the creator's ownership. A second call does nothing. */
  dispose(): void {
    if (!this.#ownedByCreator) return;
    this.disown();
    this.release();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #within(start: number, shape: readonly number[]): Tensor {
    const byteOffset = start * elementBytes(this.type);
    return this.context.adopt(
      new Tensor(this.context, shape, this.type, { parent: this.retain(), byteOffset }),
    );
  }
}

/** Number of elements of a shape. */
export function elements(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** Throws a {@link GpuError} if a device cannot hold tensors of a type. */
export function requireType(gpu: Gpu, type: ElementType): void {
  if (type !== "float16" || gpu.device.features.has("shader-f16")) return;
  throw new GpuError(`float16 needs the feature shader-f16, which ${gpu.adapterName} does not have`);
}

/** Throws a {@link ShapeError} unless `condition` holds. */
export function assertShapes(condition: boolean, what: string, ...tensors: readonly Tensor[]): void {
  if (condition) return;
  throw new ShapeError(`${what}, not ${tensors.map((tensor) => `[${tensor.shape}]`).join(" and ")}`);
}
