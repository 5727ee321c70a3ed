import type { Communicator } from "../../distributed/communicator.ts";
import { ConfigurationError } from "../../errors.ts";
import { streamWords } from "../../random/philox.ts";
import type { Configuration } from "../configuration.ts";
import type { InputValues } from "./inputs.ts";

/**
 * How the batches and the replay buffer of a job are divided into shards, and the shards among its processes: rank r of
 * N computes the shards from r·S/N on. Everything random is drawn for the whole job, so a shard's part does not depend
 * on who computes it.
 */
export class Shards {
  /** S, the number of shards in the job. */
  readonly count: number;
  /** The first of this process's shards. */
  readonly first: number;
  /** Number of shards that this process computes. */
  readonly local: number;
  /** Number of likelihood images in a shard's batch; at least one, although without the likelihood none is used. */
  readonly likelihoodBatch: number;
  /** Number of labelled images in a shard's batch. */
  readonly labelledBatch: number;
  /** Number of replay buffer entries that belong to a shard. */
  readonly entries: number;

  /** @throws {ConfigurationError} if the processes cannot share the shards evenly. */
  constructor(
    { shards, likelihoodBatch, labelledBatch, bufferSize }: Configuration,
    { rank, size }: Pick<Communicator, "rank" | "size">,
  ) {
    if (shards % size !== 0) {
      throw new ConfigurationError(
        `configuration: shards is ${shards}, which ${size} processes cannot share evenly; ` +
          `set it to a multiple of ${size}, or start as many processes as divide it`,
      );
    }
    this.count = shards;
    this.local = shards / size;
    this.first = rank * this.local;
    this.likelihoodBatch = Math.max(1, Math.floor(likelihoodBatch / shards));
    this.labelledBatch = labelledBatch / shards;
    this.entries = Math.floor(bufferSize / shards);
  }

  /** Number of replay buffer entries that this process keeps. */
  get localEntries(): number {
    return this.local * this.entries;
  }

  /** This process's shards. */
  get mine(): number[] {
    return Array.from({ length: this.local }, (_, i) => this.first + i);
  }

  /**
   * A shard's part of what an iteration of the whole job draws. Replay entries are counted in this process's buffer.
   */
  inputsOf(shard: number, values: InputValues, seed: number, iteration: number): InputValues {
    const part = (all: Uint32Array, batch: number) => all.subarray(shard * batch, (shard + 1) * batch);
    const real = (all: Uint32Array) => part(all, this.likelihoodBatch);
    const labelled = (all: Uint32Array) => part(all, this.labelledBatch);
    const half = values.draws.length / 2;
    const entries = real(values.draws.subarray(0, half));
    const fresh = real(values.draws.subarray(half));
    const before = this.first * this.entries;
    const draws = new Uint32Array(2 * this.likelihoodBatch);
    draws.set(entries.map((entry) => entry - before));
    draws.set(fresh, this.likelihoodBatch);
    return {
      stream: streamWords(seed, iteration, shard),
      schedule: values.schedule,
      likelihoodIndices: real(values.likelihoodIndices),
      likelihoodCrops: real(values.likelihoodCrops),
      labelledIndices: labelled(values.labelledIndices),
      labelledCrops: labelled(values.labelledCrops),
      labels: labelled(values.labels),
      draws,
      freshClasses: real(values.freshClasses),
    };
  }
}
