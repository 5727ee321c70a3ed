import type { Communicator } from "../../distributed/communicator.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** What a process wants to do after an iteration. In a job all do it after the same one. */
export interface Wishes {
  /** Stop and save. The wish of one process is enough. */
  readonly stop: boolean;
  /** Fetch reports, as rank 0 decides by its clock. */
  readonly report: boolean;
  /** Save a checkpoint, as rank 0 decides. */
  readonly checkpoint: boolean;
}

/** No wishes. */
export const noWishes = (): Wishes => ({ stop: false, report: false, checkpoint: false });

/** Elements of the sums for the wishes, then those for each rank's divergence. */
const wishElements = 3;
const divergenceElements = 3;

/** Elements that an exchange needs besides what is summed. */
export function exchangeRoom(processes: number): number {
  return wishElements + divergenceElements * processes;
}

/**
 * Forms sums over the processes of a job. The wishes travel with them, and so does divergence: each rank's flag,
 * likelihood term and loss, so that no rank takes a step that the others do not take.
 */
export class Exchange {
  /** What was agreed in the last exchange. */
  agreed: Wishes = noWishes();
  /** Time of all sums so far, including the wait for the slowest process. */
  seconds = 0;
  readonly #communicator: Communicator;
  readonly #sums: Tensor;
  readonly #room: number;
  readonly #status: Tensor;

  /**
   * @param sums float32 on the GPU
   * @param room element of the sums where {@link exchangeRoom} begins
   * @param status the status that `divergence` writes
   */
  constructor(communicator: Communicator, sums: Tensor, room: number, status: Tensor) {
    this.#communicator = communicator;
    this.#sums = sums;
    this.#room = room;
    this.#status = status;
  }

  /** Replaces this process's sums by those of all, and its status by that of the first rank that has diverged. */
  async run(iteration: number, wishes: Wishes): Promise<void> {
    const { rank, size } = this.#communicator;
    const [sums, status] = await this.#sums.context.read([this.#sums, this.#status]);
    const [flag, since] = new Uint32Array(status!.buffer);
    const leads = Number(rank === 0);
    const room = sums!.subarray(this.#room);
    room.set([Number(wishes.stop), leads * Number(wishes.report), leads * Number(wishes.checkpoint)]);
    const divergences = room.subarray(wishElements);
    if (flag) divergences.set([flag, status![2]!, status![3]!], divergenceElements * rank);

    const began = performance.now();
    await this.#communicator.sum(sums!);
    this.seconds += (performance.now() - began) / 1000;

    this.#sums.write(sums!);
    this.agreed = { stop: room[0]! > 0, report: room[1]! > 0, checkpoint: room[2]! > 0 };
    for (let other = 0; other < size; other++) {
      const [diverged, ...values] = divergences.subarray(divergenceElements * other);
      if (!diverged) continue;
      const [likelihood, loss] = new Uint32Array(Float32Array.from(values).buffer);
      this.#status.write(Uint32Array.of(1, flag ? since! : iteration, likelihood!, loss!));
      break;
    }
  }
}
