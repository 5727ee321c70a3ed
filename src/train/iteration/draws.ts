/** What an iteration draws at random on the host. It depends on the seed and the iteration's number alone. */

import { skipped } from "../../jem/initialisation.ts";
import { Purpose, RandomStream } from "../../random/philox.ts";

/** Random crops and flips of a batch, packed as `expandImages` reads them. */
export function drawCrops(
  stream: RandomStream,
  batch: number,
  { padding, flip }: { readonly padding: number; readonly flip: boolean },
): Uint32Array {
  return Uint32Array.from({ length: batch }, (_, i) => {
    const dy = stream.integer(3 * i, 2 * padding + 1);
    const dx = stream.integer(3 * i + 1, 2 * padding + 1);
    const mirrored = flip ? stream.integer(3 * i + 2, 2) : 0;
    return dy | dx << 8 | mirrored << 16;
  });
}

/**
 * Draws where the chains of an iteration start: at a buffer entry each, uniformly with replacement from its shard's
 * part of the buffer, or with some probability at a fresh image of a uniformly drawn class.
 */
export function drawReplay(
  { seed, iteration, batch, shardBatch = batch, entries, classes, reinitProbability }: {
    readonly seed: number;
    readonly iteration: number;
    readonly batch: number;
    /** Number of chains in a shard; all by default. */
    readonly shardBatch?: number;
    /** Number of entries in a shard's part of the buffer. */
    readonly entries: number;
    readonly classes: number;
    readonly reinitProbability: number;
  },
): { draws: Uint32Array; freshClasses: Uint32Array } {
  const stream = new RandomStream(seed, Purpose.replayDraw, iteration);
  const draws = new Uint32Array(2 * batch);
  const freshClasses = new Uint32Array(batch).fill(skipped);
  for (let i = 0; i < batch; i++) {
    draws[i] = Math.floor(i / shardBatch) * entries + stream.integer(3 * i, entries);
    if (stream.uniform(3 * i + 1) >= reinitProbability) continue;
    draws[batch + i] = 1;
    freshClasses[i] = stream.integer(3 * i + 2, classes);
  }
  return { draws, freshClasses };
}
