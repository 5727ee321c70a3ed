/** The parts of a job's state that belong to its shards, joined from its processes and divided again. */

import type { Communicator } from "../../distributed/communicator.ts";
import { bytesOf, concatenate } from "../../formats/bytes.ts";
import type { HostTensor } from "../../formats/pytorch/layout.ts";
import type { RunningStatistics } from "../../nn/running_statistics.ts";
import type { Trainer } from "../trainer.ts";

/** Name of the tensor that holds each shard's own running statistics. */
export const shardStatisticsName = "shard_statistics";

/** The parts of all shards, in their order. */
export interface Parts {
  /** The replay buffer, `[n, H, W, C]`; undefined in a plain classifier. */
  readonly replay: HostTensor | undefined;
  /**
   * `[S, n]`: means and variances of each batch norm layer in its order; undefined if there is no such layer, or one
   * shard, whose statistics are the model's.
   */
  readonly statistics: HostTensor | undefined;
}

/**
 * Gathers the parts. All processes of a job call it.
 * @returns the parts on rank 0, undefined on the others
 */
export async function gatherParts(trainer: Trainer): Promise<Parts | undefined> {
  const { communicator, shards, sampler, model: { context, runningStatistics } } = trainer;
  const replay = sampler && await gathered(communicator, await sampler.buffer.images.read());
  const length = statisticsLength(trainer);
  const local = await context.read(length > 0 ? trainer.shardStatistics : []);
  const statistics = length > 0 ? await gathered(communicator, joined(local, runningStatistics)) : undefined;
  if (communicator.rank > 0) return undefined;
  return {
    replay: replay && { shape: replayShape(trainer)!, data: replay },
    statistics: statistics && { shape: [shards.count, length], data: statistics },
  };
}

/** Returns a part with the required shape. */
export type PartOf = (shape: readonly number[]) => HostTensor;

/** Gives this process's shards their parts of the replay buffer, if there is one. */
export function restoreReplay(trainer: Trainer, replay: PartOf): void {
  const shape = replayShape(trainer);
  if (!shape) return;
  trainer.sampler!.buffer.images.write(localRows(trainer, replay(shape), trainer.shards.localEntries));
  trainer.replayFilled = true;
}

/** Gives each of this process's shards its running statistics, if it has its own. */
export function restoreShardStatistics(trainer: Trainer, statistics: PartOf): void {
  const { shards, model: { runningStatistics } } = trainer;
  const length = statisticsLength(trainer);
  if (length === 0) return;
  const all = localRows(trainer, statistics([shards.count, length]), shards.local);
  trainer.shardStatistics.forEach((statistics, i) => {
    statistics.write(spread(all.subarray(i * length, (i + 1) * length), runningStatistics));
  });
}

/** This process's rows of all rows. */
function localRows(
  { communicator: { rank } }: Trainer,
  { shape, data }: HostTensor,
  rows: number,
): Float32Array {
  const size = data.length / shape[0]!;
  return data.subarray(rank * rows * size, (rank + 1) * rows * size);
}

function replayShape({ sampler, shards }: Trainer): number[] | undefined {
  return sampler && [shards.count * shards.entries, ...sampler.buffer.shape];
}

/** Running statistics that each shard keeps for itself. */
function statisticsLength({ shardStatistics, model: { runningStatistics } }: Trainer): number {
  if (shardStatistics.length === 0) return 0;
  return runningStatistics.entries.reduce((sum, { channels }) => sum + 2 * channels, 0);
}

/** Flat vectors of statistics, one after the other and without gaps. */
function joined(
  vectors: readonly Float32Array<ArrayBuffer>[],
  { entries }: RunningStatistics,
): Float32Array<ArrayBuffer> {
  const rows = vectors.flatMap((vector) =>
    entries.map(({ offset, channels }) => vector.subarray(offset, offset + 2 * channels))
  );
  return new Float32Array(concatenate(rows.map(bytesOf)).buffer);
}

/** The inverse of {@link joined} for one vector. */
function spread(row: Float32Array, { entries, values }: RunningStatistics): Float32Array {
  const vector = new Float32Array(values.size);
  let start = 0;
  for (const { offset, channels } of entries) {
    vector.set(row.subarray(start, start += 2 * channels), offset);
  }
  return vector;
}

async function gathered(
  communicator: Communicator,
  values: Float32Array<ArrayBuffer>,
): Promise<Float32Array<ArrayBuffer> | undefined> {
  if (communicator.size === 1) return values;
  const parts = await communicator.gather(bytesOf(values));
  return parts && new Float32Array(concatenate(parts).buffer);
}
