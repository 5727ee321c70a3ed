/**
 * What the processes (ranks) of one job say to each other. All ranks call the same methods in the same order. Each call
 * ends when all have called it; calls that a rank begins before its last one is over take their turns. The interface
 * knows no model, and nothing else in the project knows what is behind it.
 */
export interface Communicator {
  /** This process among the job's, from 0; rank 0 writes files and prints. */
  readonly rank: number;
  /** Processes of the job. */
  readonly size: number;
  /** The machine that this process runs on, by the name that it gives itself. */
  readonly host: string;
  /** Replaces values, of one length on all ranks, by their sum over the ranks. */
  sum(values: Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>): Promise<void>;
  /** Replaces bytes, of one length on all ranks, by those of rank `root`. */
  broadcast(bytes: Uint8Array<ArrayBuffer>, root?: number): Promise<void>;
  /**
   * Collects bytes, of any length on each rank.
   * @returns those of all ranks in order on rank 0, the first being the array that it gave; undefined on the others
   */
  gather(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>[] | undefined>;
  /** Waits for all ranks. */
  barrier(): Promise<void>;
  /** Ends all processes of the job at once, with this exit status. */
  abort(status: number): never;
  /** Leaves the job in order; no method may be called afterwards. */
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

/** How messages call a process of a job, such as `rank 2 on node7`. */
export function rankName({ rank, host }: Communicator): string {
  return `rank ${rank} on ${host}`;
}
