import { BufferPool } from "./buffer_pool.ts";
import type { Command } from "./command.ts";
import { TextureCopies } from "./texture_copies.ts";
import { TexturePool } from "./texture_pool.ts";

/** How many copies in textures are kept: more than one dispatch reads, so that the next can share them. */
const copiesKept = 16;

/** Commands that are being recorded, and the memory that they use. */
export class Recording {
  commands: Command[] = [];
  /** Numbers of commands before which the host has work to do. */
  readonly cuts: number[] = [];
  readonly pool: BufferPool;
  readonly textures: TexturePool;
  readonly copies: TextureCopies;

  /** @param counters count what the pools create */
  constructor(device: GPUDevice, counters: { buffers: number; textures: number }) {
    this.pool = new BufferPool(device, () => counters.buffers++);
    this.textures = new TexturePool(device, () => counters.textures++);
    this.copies = new TextureCopies(this.textures, copiesKept);
  }

  /** Frees the memory. */
  destroy(): void {
    this.copies.clear();
    this.pool.destroy();
    this.textures.destroy();
  }
}
