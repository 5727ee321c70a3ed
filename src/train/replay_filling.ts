import type { Sampler } from "../jem/sampler.ts";
import { streamWords } from "../random/philox.ts";
import type { Shards } from "./iteration/shards.ts";

/** Random steps from here on belong to the filling of the replay buffer. Iterations stay below. */
const firstFillStep = 2 ** 31;
/** Images made at once. */
const fillBatch = 100;
/** Images made between two waits for them, because a wait takes about as long as making a batch. */
const imagesPerWait = 1000;

/** How a replay buffer is filled. */
export interface Filling {
  readonly seed: number;
  readonly classes: number;
  readonly shards: Shards;
  /** Called with the number of images made so far. */
  progress(made: number): void;
  /** Ends it early when it aborts. The buffer is then of no use. */
  readonly signal: AbortSignal | undefined;
}

/**
 * Fills a process's part of the replay buffer with fresh images, the same number of each class in each shard's part.
 */
export async function fillReplayBuffer(
  { buffer, initialisation }: Sampler,
  { seed, classes, shards, progress, signal }: Filling,
): Promise<void> {
  const { context } = buffer.images;
  const { entries } = shards;
  let waiting = 0;
  for (const [part, shard] of shards.mine.entries()) {
    for (let first = 0; first < entries && !signal?.aborted; first += fillBatch) {
      const count = Math.min(fillBatch, entries - first);
      const drawn = Uint32Array.from(
        { length: count },
        (_, i) => Math.floor((first + i) * classes / entries),
      );
      context.scope(() => {
        const stream = context.from(streamWords(seed, firstFillStep + first / fillBatch, shard), [4]);
        buffer.fill(part * entries + first, initialisation.fresh(stream, context.from(drawn, [count])));
      });
      waiting += count;
      const made = part * entries + first + count;
      if (waiting < imagesPerWait && made < buffer.capacity) continue;
      await context.read([]);
      waiting = 0;
      progress(made);
    }
  }
}
