/** Work on many items, batch by batch, divided among the ranks of a job. */

import { type Communicator, oneProcess } from "./communicator.ts";
import { shareValue } from "./share.ts";

/** Arrays of numbers that a batch produces. */
export type Numbers = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;

/** How work is done in batches. */
export interface BatchOptions {
  /** The ranks that divide the work; one process by default. */
  readonly communicator?: Communicator | undefined;
  /** Called with the number of finished items of all, extrapolated from this rank's own part. */
  readonly progress?: ((done: number) => void) | undefined;
}

/**
 * The items that a rank works on, from `first` up to `end`: consecutive whole batches, as many as the other ranks have,
 * or one more.
 */
export function shareOf(
  { rank, size }: Pick<Communicator, "rank" | "size">,
  count: number,
  batchSize = 1,
): { readonly first: number; readonly end: number } {
  const batches = Math.ceil(count / batchSize);
  const before = (rank: number) => Math.min(count, Math.ceil(rank * batches / size) * batchSize);
  return { first: before(rank), end: before(rank + 1) };
}

/**
 * Works on `count` items, at least one, in batches. Batches do not depend on who works on them. Each rank has some
 * consecutive batches, and all ranks get the results of all of them: the same bits as in one process.
 * @param work returns arrays for a batch of `size` items, starting with item `start`, with the same number of values
 *   for each item
 * @returns the arrays of all batches, joined
 */
export async function inBatches<const Arrays extends readonly Numbers[]>(
  count: number,
  batchSize: number,
  work: (start: number, size: number) => Promise<Arrays>,
  { communicator = oneProcess, progress }: BatchOptions = {},
): Promise<Arrays> {
  const { first, end } = shareOf(communicator, count, batchSize);
  let joined: Numbers[] | undefined;
  for (let start = first; start < end; start += batchSize) {
    const size = Math.min(batchSize, end - start);
    const arrays = await work(start, size);
    joined ??= arrays.map((array) => emptyLike(layoutOf(array, size), count));
    arrays.forEach((array, i) => joined![i]!.set(array, start * array.length / size));
    progress?.(Math.round(count * (start + size - first) / (end - first)));
  }
  if (communicator.size > 1) joined = await withParts(communicator, count, batchSize, joined);
  return joined as readonly Numbers[] as Arrays;
}

/**
 * Arrays of which each rank has filled its own part, completed with the other parts. A rank without a batch has no
 * array yet.
 */
async function withParts(
  communicator: Communicator,
  count: number,
  batchSize: number,
  own: Numbers[] | undefined,
): Promise<Numbers[]> {
  const layouts = await shareValue(communicator, own?.map((array) => layoutOf(array, count)));
  const joined = own ?? layouts.map((layout) => emptyLike(layout, count));
  for (const array of joined) {
    const bytes = new Uint8Array(array.buffer);
    const each = bytes.length / count;
    for (let rank = 0; rank < communicator.size; rank++) {
      const { first, end } = shareOf({ rank, size: communicator.size }, count, batchSize);
      if (end > first) await communicator.broadcast(bytes.subarray(first * each, end * each), rank);
    }
  }
  return joined;
}

/** The type of an array's numbers, and their count for each item. */
interface Layout {
  readonly double: boolean;
  readonly each: number;
}

function layoutOf(array: Numbers, count: number): Layout {
  return { double: array instanceof Float64Array, each: array.length / count };
}

function emptyLike({ double, each }: Layout, count: number): Numbers {
  return double ? new Float64Array(each * count) : new Float32Array(each * count);
}

/**
 * Works on `count` items in batches. Only rank 0 gets the results, batch by batch, so that no rank keeps more than one.
 * Batch k belongs to rank k mod the number of ranks.
 * @param work returns bytes for a batch of `size` items, starting with item `start`
 * @param take called on rank 0 with what `work` returned, in the order of the batches
 */
export async function inRounds(
  communicator: Communicator,
  count: number,
  batchSize: number,
  work: (start: number, size: number) => Promise<Uint8Array<ArrayBuffer>>,
  take: (bytes: Uint8Array<ArrayBuffer>, start: number, size: number) => void,
): Promise<void> {
  const { rank, size: ranks } = communicator;
  const sizeAt = (start: number) => Math.min(batchSize, count - start);
  for (let round = 0; round < count; round += ranks * batchSize) {
    const start = round + rank * batchSize;
    const own = start < count ? await work(start, sizeAt(start)) : new Uint8Array();
    const all = await communicator.gather(own);
    all?.forEach((bytes, other) => {
      const at = round + other * batchSize;
      if (at < count) take(bytes, at, sizeAt(at));
    });
  }
}
