/**
 * Communication between the processes (ranks) of one job. All ranks call the same methods in the same order. A call
 * ends when all ranks have called it. Calls that a rank begins before its last one has ended take turns. The interface
 * knows nothing of models, and the rest of the project does not know what implements it.
 */
export interface Communicator {
  /** This process's number in the job, from 0. Rank 0 writes files and prints. */
  readonly rank: number;
  /** Number of processes in the job. */
  readonly size: number;
  /** Name of the machine that this process runs on, as the machine itself gives it. */
  readonly host: string;
  /** Replaces values, the same number on all ranks, with their sum over the ranks. */
  sum(values: Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>): Promise<void>;
  /** Replaces bytes, the same number on all ranks, with those of rank `root`. */
  broadcast(bytes: Uint8Array<ArrayBuffer>, root?: number): Promise<void>;
  /**
   * Collects bytes, any number from each rank.
   * @returns on rank 0 the bytes of all ranks in order, the first being the array that it gave; undefined on the others
   */
  gather(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>[] | undefined>;
  /** Waits for all ranks. */
  barrier(): Promise<void>;
  /** Ends all processes of the job at once, with the given exit status. */
  abort(status: number): never;
  /** Leaves the job in order. No method may be called afterwards. */
  close(): void;
}

/** A job of one process. */
export const oneProcess: Communicator = {
  rank: 0,
  size: 1,
  host: "localhost",
  sum: () => Promise.resolve(),
  broadcast: () => Promise.resolve(),
  gather: (bytes) => Promise.resolve([bytes]),
  barrier: () => Promise.resolve(),
  abort(status) {
    throw new Error(`the job of one process was aborted with status ${status}`);
  },
  close() {},
};

/** What messages call a process of a job, such as `rank 2 on node7`. */
export function rankName({ rank, host }: Communicator): string {
  return `rank ${rank} on ${host}`;
}
