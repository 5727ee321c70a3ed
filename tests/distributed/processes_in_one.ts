import type { Communicator } from "../../src/distributed/communicator.ts";

/** One call that all processes make: what each brings, and what comes of it once all have. */
class Meeting {
  readonly #brought: unknown[] = [];
  readonly #done = Promise.withResolvers<void>();
  #name: string | undefined;
  #present = 0;

  constructor(readonly size: number) {}

  /** Brings something, and waits for what all have brought, by rank. */
  async attend<Thing>(name: string, rank: number, thing: Thing): Promise<Thing[]> {
    this.#name ??= name;
    if (this.#name !== name) {
      const error = new Error(`rank ${rank} calls ${name}, others call ${this.#name}`);
      this.#done.reject(error);
      throw error;
    }
    this.#brought[rank] = thing;
    if (++this.#present === this.size) this.#done.resolve();
    await this.#done.promise;
    return this.#brought as Thing[];
  }
}

/** The communicators of a job whose processes are tasks of this one. Sums are formed in the order of the ranks. */
export function processesInOne(size: number): Communicator[] {
  const meetings: Meeting[] = [];
  const calls = new Array<number>(size).fill(0);
  return calls.map((_, rank): Communicator => {
    const meet = <Thing>(name: string, thing: Thing): Promise<Thing[]> => {
      const meeting = meetings[calls[rank]!] ??= new Meeting(size);
      calls[rank]!++;
      return meeting.attend(name, rank, thing);
    };
    return {
      rank,
      size,
      async sum(values) {
        const all = await meet(`sum of ${values.length}`, values.slice());
        values.set(all[0]!);
        for (const other of all.slice(1)) {
          for (let i = 0; i < values.length; i++) values[i]! += other[i]!;
        }
      },
      async broadcast(bytes, root = 0) {
        const all = await meet(`broadcast of ${bytes.length}`, bytes.slice());
        bytes.set(all[root]!);
      },
      async gather(bytes) {
        const all = await meet("gather", bytes.slice());
        return rank === 0 ? all : undefined;
      },
      async barrier() {
        await meet("barrier", undefined);
      },
      abort(status) {
        throw new Error(`rank ${rank} aborted with status ${status}`);
      },
      close() {},
    };
  });
}
