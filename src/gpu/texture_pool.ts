/** The format of a texture, its width, and its least number of rows. */
export interface TextureSize {
  readonly format: keyof typeof texelBytes;
  readonly width: number;
  readonly rows: number;
}

/** Bytes of a texel, for each format of operands. */
const texelBytes = { rgba32float: 16, rgba16float: 8 } as const;

/** A texture on loan from a {@link TexturePool}. */
export interface PooledTexture {
  readonly texture: GPUTexture;
  readonly view: GPUTextureView;
}

/**
 * Textures kept by size, for operands that kernels read through a texture. As with buffers, reuse is safe without
 * waiting, because commands run in the order in which they were recorded.
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

  /** Bytes held from the device, on loan or free. */
  get totalBytes(): number {
    return this.#all.reduce(
      (sum, { format, width, height }) => sum + texelBytes[format as TextureSize["format"]] * width * height,
      0,
    );
  }

  /** Borrows a texture of this size; its contents are undefined. */
  acquire({ format, width, rows }: TextureSize): PooledTexture {
    const height = 2 ** Math.ceil(Math.log2(rows));
    const free = this.#free.get(keyOf({ format, width, height }))?.pop();
    if (free) return free;
    const texture = this.#device.createTexture({
      size: [width, height],
      format,
      usage: GPUTextureUsage.TEXTURE_BINDING | GPUTextureUsage.COPY_DST,
    });
    this.#all.push(texture);
    this.#onCreate();
    return { texture, view: texture.createView() };
  }

  /** Gives a texture back. The caller must not use it in commands recorded afterwards. */
  release(pooled: PooledTexture): void {
    const key = keyOf(pooled.texture);
    const free = this.#free.get(key);
    if (free) free.push(pooled);
    else this.#free.set(key, [pooled]);
  }

  /** Destroys every texture, on loan or free. */
  destroy(): void {
    for (const texture of this.#all) texture.destroy();
    this.#all.length = 0;
    this.#free.clear();
  }
}

function keyOf({ format, width, height }: Pick<GPUTexture, "format" | "width" | "height">): string {
  return `${format} ${width}×${height}`;
}
