/** A texture on loan from a {@link TexturePool}. */
export interface PooledTexture {
  readonly texture: GPUTexture;
  readonly view: GPUTextureView;
}

/**
 * Textures of format `rgba32float` kept by their size, for operands that kernels read through a texture. As with buffers, reuse is safe
 * without waiting, because commands run in the order in which they were recorded.
 */
export class TexturePool {
  readonly #device: GPUDevice;
  readonly #onCreate: () => void;
  readonly #free = new Map<string, PooledTexture[]>();
  readonly #all: GPUTexture[] = [];

  constructor(device: GPUDevice, onCreate: () => void) {
    this.#device = device;
    this.#onCreate = onCreate;
  }

  /** Bytes held from the device, on loan or free, 16 a texel. */
  get totalBytes(): number {
    return this.#all.reduce((sum, { width, height }) => sum + 16 * width * height, 0);
  }

  /** Borrows a texture of this width and at least so many rows; its contents are undefined. */
  acquire(width: number, rows: number): PooledTexture {
    const height = 2 ** Math.ceil(Math.log2(rows));
    const free = this.#free.get(`${width}×${height}`)?.pop();
    if (free) return free;
    const texture = this.#device.createTexture({
      size: [width, height],
      format: "rgba32float",
      usage: GPUTextureUsage.TEXTURE_BINDING | GPUTextureUsage.COPY_DST,
    });
    this.#all.push(texture);
    this.#onCreate();
    return { texture, view: texture.createView() };
  }

  /** Gives a texture back; the caller must not use it in commands recorded afterwards. */
  release(pooled: PooledTexture): void {
    const size = `${pooled.texture.width}×${pooled.texture.height}`;
    const free = this.#free.get(size);
    if (free) free.push(pooled);
    else this.#free.set(size, [pooled]);
  }

  /** Destroys every texture, on loan or free. */
  destroy(): void {
    for (const texture of this.#all) texture.destroy();
    this.#all.length = 0;
    this.#free.clear();
  }
}
