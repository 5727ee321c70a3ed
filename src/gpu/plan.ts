import type { BufferPool } from "./buffer_pool.ts";
import type { Command } from "./command.ts";
import type { TexturePool } from "./texture_pool.ts";

/**
 * Recorded GPU work that can run any number of times without creating a pipeline, bind group or buffer. It owns the
 * memory that was acquired while it was captured.
 */
export class Plan {
  constructor(
    readonly commands: readonly Command[],
    readonly pool: BufferPool,
    readonly textures: TexturePool,
    /** Numbers of commands before which the host has work to do, ascending. */
    readonly cuts: readonly number[] = [],
  ) {}

  /** The commands between the cuts, in one more stretch than there are cuts. */
  get stretches(): (readonly Command[])[] {
    if (this.cuts.length === 0) return [this.commands];
    const ends = [...this.cuts, this.commands.length];
    return ends.map((end, i) => this.commands.slice(ends[i - 1] ?? 0, end));
  }

  /** Bytes of GPU memory that the plan holds. */
  get bytes(): number {
    return this.pool.totalBytes + this.textures.totalBytes;
  }

  /** Frees the plan's memory. The plan must not run afterwards. */
  destroy(): void {
    this.pool.destroy();
    this.textures.destroy();
  }
}
