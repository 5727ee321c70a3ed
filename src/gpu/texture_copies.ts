import type { BufferRange } from "./command.ts";
import type { PooledTexture, TexturePool, TextureSize } from "./texture_pool.ts";

/** A texture, and the range of a buffer whose contents it holds. */
interface Copy {
  readonly range: BufferRange;
  readonly pooled: PooledTexture;
}

/**
 * Textures with the contents of ranges of buffers, for as long as nothing is written there: consecutive kernels often
 * read the same operand. The least recently used are given up first.
 */
export class TextureCopies {
  readonly #pool: TexturePool;
  /** The most recently used comes last. */
  #copies: Copy[] = [];

  /** @param mostKept at least as many as one dispatch reads */
  constructor(pool: TexturePool, readonly mostKept: number) {
    this.#pool = pool;
  }

  /** The texture that holds a range's contents. A new one is `filled` first. */
  get(range: BufferRange, size: TextureSize, fill: (texture: GPUTexture) => void): GPUTextureView {
    const known = this.#copies.findIndex((copy) => isSame(copy.range, range));
    const [copy = this.#make(range, size, fill)] = known < 0 ? [] : this.#copies.splice(known, 1);
    this.#copies.push(copy);
    if (this.#copies.length > this.mostKept) this.#pool.release(this.#copies.shift()!.pooled);
    return copy.pooled.view;
  }

  /** Gives up the copies of ranges that have been written to. */
  written(range: BufferRange): void {
    this.#giveUp((copy) => overlaps(copy.range, range));
  }

  /** Gives up all copies. */
  clear(): void {
    this.#giveUp(() => true);
  }

  #make(range: BufferRange, size: TextureSize, fill: (texture: GPUTexture) => void): Copy {
    const pooled = this.#pool.acquire(size);
    fill(pooled.texture);
    return { range, pooled };
  }

  #giveUp(isStale: (copy: Copy) => boolean): void {
    this.#copies = this.#copies.filter((copy) => {
      const stale = isStale(copy);
      if (stale) this.#pool.release(copy.pooled);
      return !stale;
    });
  }
}

function isSame(a: BufferRange, b: BufferRange): boolean {
  return a.buffer === b.buffer && a.offset === b.offset && a.size === b.size;
}

function overlaps(a: BufferRange, b: BufferRange): boolean {
  return a.buffer === b.buffer && a.offset < b.offset + b.size && b.offset < a.offset + a.size;
}
