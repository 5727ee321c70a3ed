import type { Communicator } from "../../src/distributed/communicator.ts";

type Memory = ArrayBufferView<ArrayBuffer> | undefined;

/** A call of one rank that waits for the others. */
interface Waiting {
  readonly call: string;
  readonly memory: Memory;
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** Where the ranks of one process meet. */
class Meeting {
  #waiting: Waiting[] = [];

  constructor(readonly size: number) {}

  /** Joins a call, which takes place when all ranks have joined it; `work` gets their memory in order. */
  join(
    rank: number,
    call: string,
    memory: Memory,
    work: (all: readonly Memory[]) => unknown,
  ): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting[rank] = { call, memory, resolve, reject };
    if (Object.keys(this.#waiting).length < this.size) return promise;
    const all = this.#waiting;
    this.#waiting = [];
    const other = all.find((one) => one.call !== all[0]!.call);
    if (other) {
      for (const { reject } of all) reject(new Error(`ranks call ${all[0]!.call} and ${other.call}`));
      return promise;
    }
    const result = work(all.map(({ memory }) => memory));
    all.forEach(({ resolve }, rank) => resolve(rank === 0 ? result : undefined));
    return promise;
  }
}

/** One of the ranks of {@link processesInOne}. */
class RankOfOne implements Communicator {
  readonly host = "localhost";
  readonly size: number;

  constructor(readonly rank: number, readonly meeting: Meeting) {
    this.size = meeting.size;
  }

  async sum(values: Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>): Promise<void> {
    await this.meeting.join(this.rank, `sum of ${values.length}`, values, (all) => {
      const [first, ...others] = all as (typeof values)[];
      const sums = first!.slice();
      for (const other of others) other.forEach((value, i) => sums[i]! += value);
      for (const one of [first!, ...others]) one.set(sums);
    });
  }

  async broadcast(bytes: Uint8Array<ArrayBuffer>, root = 0): Promise<void> {
    await this.meeting.join(this.rank, `broadcast of ${bytes.length} by ${root}`, bytes, (all) => {
      for (const one of all) (one as Uint8Array).set(all[root] as Uint8Array);
    });
  }

  async gather(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>[] | undefined> {
    const all = await this.meeting.join(this.rank, "gather", bytes, (all) => {
      return all.map((one) => (one as Uint8Array).slice());
    });
    return all as Uint8Array<ArrayBuffer>[] | undefined;
  }

  async barrier(): Promise<void> {
    await this.meeting.join(this.rank, "barrier", undefined, () => {});
  }

  abort(status: number): never {
    throw new Error(`rank ${this.rank} aborted the job with status ${status}`);
  }

  close(): void {}
}

/**
 * Communicators of a job whose ranks live in one process: with them, what is built on a communicator is tested without
 * a launcher. Sums are taken in the order of the ranks, in the type of the values.
 */
export function processesInOne(size: number): Communicator[] {
  const meeting = new Meeting(size);
  return Array.from({ length: size }, (_, rank) => new RankOfOne(rank, meeting));
}
