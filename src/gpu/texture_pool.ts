import { sizeClass } from "./buffer_pool.ts";
import { bytesPerRow, createRows, textureRows } from "./texture_rows.ts";

/** A texture on loan from a {@link TexturePool}: see `createRows`. */
export interface PooledTexture {
  readonly texture: GPUTexture;
  readonly view: GPUTextureView;
  readonly rows: number;
}

/**
 * Textures kept by size, for operands that kernels read through a texture. As with buffers, reuse is safe without waiting,
 * because commands run in the order in which they were recorded.
 */
export class TexturePool {
  readonly #device: GPUDevice;
  readonly #onCreate: () => void;
  readonly #free = new Map<number, PooledTexture[]>();
  readonly #all: GPUTexture[] = [];
  #totalBytes = 0;

  constructor(device: GPUDevice, onCreate: () => void) {
    this.#device = device;
    this.#onCreate = onCreate;
  }

  /** Bytes held from the device, on loan or free. */
  get totalBytes(): number {
    return this.#totalBytes;
  }

  /** Borrows a texture for at least `bytes` bytes; its contents are undefined. */
  acquire(bytes: number): PooledTexture {
    const rows = textureRows(sizeClass(bytes));
    return this.#free.get(rows)?.pop() ?? this.#create(rows);
  }

  /** Gives a texture back; the caller must not use it in commands recorded afterwards. */
  release(pooled: PooledTexture): void {
    const free = this.#free.get(pooled.rows);
    if (free) free.push(pooled);
    else this.#free.set(pooled.rows, [pooled]);
  }

  /** Destroys every texture, on loan or free. */
  destroy(): void {
    for (const texture of this.#all) texture.destroy();
    this.#all.length = 0;
    this.#free.clear();
    this.#totalBytes = 0;
  }

  #create(rows: number): PooledTexture {
    const texture = createRows(this.#device, rows);
    this.#all.push(texture);
    this.#totalBytes += rows * bytesPerRow;
    this.#onCreate();
    return { texture, view: texture.createView(), rows };
  }
}
