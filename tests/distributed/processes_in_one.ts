import type { Communicator } from "../../src/distributed/communicator.ts";
import { JobError } from "../../src/errors.ts";

/** A call of one rank that waits for the others. */
interface Waiting {
  /** The method, and what must be equal on all ranks. */
  readonly call: string;
  readonly memory: ArrayBufferView<ArrayBuffer> | undefined;
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** Does the work of a call that all ranks have made, given their memory in order. Returns what rank 0 gets. */
type Work = (memories: readonly (ArrayBufferView<ArrayBuffer> | undefined)[]) => unknown;

class Meeting {
  readonly #queues: Waiting[][];
  #end: Error | undefined;

  constructor(readonly size: number) {
    this.#queues = Array.from({ length: size }, () => []);
  }

  /** Joins a call, which runs when all ranks have joined it. */
  join(rank: number, call: string, memory: Waiting["memory"], work: Work): Promise<unknown> {
    if (this.#end) return Promise.reject(this.#end);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#queues[rank]!.push({ call, memory, resolve, reject });
    if (this.#queues.every((queue) => queue.length > 0)) this.#meet(work);
    return promise;
  }

  /** Rejects all calls, those that wait and those to come. */
  end(error: Error): void {
    this.#end ??= error;
    for (const { reject } of this.#queues.flat()) reject(this.#end);
  }

  #meet(work: Work): void {
    const all = this.#queues.map((queue) => queue.shift()!);
    const calls = all.map(({ call }) => call);
    const other = calls.findIndex((call) => call !== calls[0]);
    if (other > 0) {
      const error = new Error(`rank 0 calls ${calls[0]}, but rank ${other} ${calls[other]}`);
      for (const { reject } of all) reject(error);
      return this.end(error);
    }
    const result = work(all.map(({ memory }) => memory));
    all.forEach(({ resolve }, rank) => resolve(rank === 0 ? result : undefined));
  }
}

class RankOfOne implements Communicator {
  readonly host = "localhost";
  readonly size: number;
  #closed = false;

  constructor(readonly rank: number, readonly meeting: Meeting) {
    this.size = meeting.size;
  }

  async sum(values: Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>): Promise<void> {
    await this.#join(`sum(${values.constructor.name} of ${values.length})`, values, (memories) => {
      const [first, ...others] = memories as (typeof values)[];
      const sums = first!.slice();
      for (const other of others) other.forEach((value, index) => sums[index]! += value);
      for (const one of [first!, ...others]) one.set(sums);
    });
  }

  async broadcast(bytes: Uint8Array<ArrayBuffer>, root = 0): Promise<void> {
    await this.#join(`broadcast(${bytes.length} bytes, ${root})`, bytes, (memories) => {
      for (const one of memories) (one as Uint8Array).set(memories[root] as Uint8Array);
    });
  }

  async gather(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>[] | undefined> {
    const all = await this.#join("gather", bytes, ([own, ...others]) => [
      own,
      ...others.map((one) => (one as Uint8Array).slice()),
    ]);
    return all as Uint8Array<ArrayBuffer>[] | undefined;
  }

  async barrier(): Promise<void> {
    await this.#join("barrier", undefined, () => {});
  }

  abort(status: number): never {
    const error = new JobError(`rank ${this.rank} aborted the job with status ${status}`);
    this.meeting.end(error);
    throw error;
  }

  close(): void {
    this.#closed = true;
  }

  #join(call: string, memory: Waiting["memory"], work: Work): Promise<unknown> {
    if (this.#closed) return Promise.reject(new Error("a job is used after it was closed"));
    return this.meeting.join(this.rank, call, memory, work);
  }
}

/**
 * Communicators of a job whose ranks share one process. With them, code built on a communicator is tested without a
 * launcher. Sums are taken in the order of the ranks, in the type of the values. If ranks call different methods, their
 * calls are rejected with an error that says so. An abort rejects all calls.
 */
export function processesInOne(size: number): Communicator[] {
  const meeting = new Meeting(size);
  return Array.from({ length: size }, (_, rank) => new RankOfOne(rank, meeting));
}
