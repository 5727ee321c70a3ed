import { JobError } from "../../errors.ts";
import type { Communicator } from "../communicator.ts";
import { type Functions, textOf } from "./functions.ts";
import { type Handles, handlesOf } from "./handles.ts";
import type { Library } from "./library.ts";

/** Bytes of a sum that are exchanged at a time. This is faster than all at once, because they stay in the caches. */
const sumChunk = 4 * 2 ** 20;

/** Other bytes that are sent at a time. MPI counts them in 32 bits. */
const byteChunk = 16 * 2 ** 20;

/** The tag of all messages. */
const tag = 0;

/** More bytes than any MPI's record of a received message has. */
const longestStatus = 64;

/** The job that MPI's launcher started. */
export class MpiCommunicator implements Communicator {
  readonly rank: number;
  readonly size: number;
  readonly host: string;
  /** The library in use, such as `Open MPI v4.1.4`, with its path. */
  readonly implementation: string;
  readonly #functions: Functions;
  readonly #handles: Handles;
  /** Resolves when the last call so far has ended. */
  #last: Promise<unknown> = Promise.resolve();
  /** Number of calls that have not ended. */
  #calls = 0;
  #closed = false;
  readonly #status = new Uint8Array(longestStatus);

  /**
   * Initialises MPI.
   * @throws {JobError} if that fails, or the library does not take calls from several threads.
   */
  constructor(library: Library) {
    this.implementation = `${library.version} (${library.path})`;
    this.#functions = library.functions;
    this.#handles = handlesOf(library);
    this.#initialise();
    const { MPI_Comm_rank, MPI_Comm_size, MPI_Get_processor_name } = this.#functions;
    this.rank = this.#number("MPI_Comm_rank", MPI_Comm_rank);
    this.size = this.#number("MPI_Comm_size", MPI_Comm_size);
    this.host = textOf((text, length) => MPI_Get_processor_name(text, length));
  }

  #initialise(): void {
    const { world, errorsReturn, threadMultiple } = this.#handles;
    const level = new Int32Array(1);
    this.#check("MPI_Init_thread", this.#functions.MPI_Init_thread(null, null, threadMultiple, level));
    this.#check("MPI_Comm_set_errhandler", this.#functions.MPI_Comm_set_errhandler(world, errorsReturn));
    if (level[0]! < threadMultiple) {
      throw new JobError(`${this.implementation} takes no calls from several threads (MPI_THREAD_MULTIPLE)`);
    }
  }

  #number(name: string, read: (world: bigint, value: Int32Array<ArrayBuffer>) => number): number {
    const value = new Int32Array(1);
    this.#check(name, read(this.#handles.world, value));
    return value[0]!;
  }

  sum(values: Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>): Promise<void> {
    return this.#inTurn(() => this.#sum(values));
  }

  async #sum(values: Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>): Promise<void> {
    const { world, float32, float64, sum, inPlace } = this.#handles;
    const type = values instanceof Float32Array ? float32 : float64;
    const length = sumChunk / values.BYTES_PER_ELEMENT;
    for (const chunk of chunks(values, length)) {
      this.#check(
        "MPI_Allreduce",
        await this.#functions.MPI_Allreduce(inPlace, chunk, chunk.length, type, sum, world),
      );
    }
  }

  broadcast(bytes: Uint8Array<ArrayBuffer>, root = 0): Promise<void> {
    const { world, byte } = this.#handles;
    return this.#inTurn(async () => {
      for (const chunk of chunks(bytes, byteChunk)) {
        this.#check("MPI_Bcast", await this.#functions.MPI_Bcast(chunk, chunk.length, byte, root, world));
      }
    });
  }

  gather(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>[] | undefined> {
    return this.#inTurn(async () => {
      const lengths = new Float64Array(this.size);
      lengths[this.rank] = bytes.length;
      await this.#sum(lengths);
      if (this.rank !== 0) return await this.#send(bytes);
      const all = [bytes];
      for (const length of lengths.subarray(1)) all.push(await this.#receive(all.length, length));
      return all;
    });
  }

  async #send(bytes: Uint8Array<ArrayBuffer>): Promise<undefined> {
    const { world, byte } = this.#handles;
    for (const chunk of chunks(bytes, byteChunk)) {
      this.#check("MPI_Send", await this.#functions.MPI_Send(chunk, chunk.length, byte, 0, tag, world));
    }
  }

  async #receive(from: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const { world, byte } = this.#handles;
    const bytes = new Uint8Array(length);
    for (const chunk of chunks(bytes, byteChunk)) {
      this.#check(
        "MPI_Recv",
        await this.#functions.MPI_Recv(chunk, chunk.length, byte, from, tag, world, this.#status),
      );
    }
    return bytes;
  }

  barrier(): Promise<void> {
    const { world } = this.#handles;
    return this.#inTurn(async () => this.#check("MPI_Barrier", await this.#functions.MPI_Barrier(world)));
  }

  abort(status: number): never {
    if (!this.#closed) this.#functions.MPI_Abort(this.#handles.world, status);
    throw new JobError(`the job could not be aborted with status ${status}`);
  }

  close(): void {
    if (this.#calls > 0) throw new Error("a job is closed while a call is at work");
    if (this.#closed) return;
    this.#closed = true;
    this.#check("MPI_Finalize", this.#functions.MPI_Finalize());
  }

  /**
   * Begins work when everything begun before has ended, because calls on different threads could overtake each other.
   */
  async #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#closed) throw new Error("a job is used after it was closed");
    this.#calls++;
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => {});
    try {
      return await turn;
    } finally {
      this.#calls--;
    }
  }

  #check(name: string, code: number): void {
    if (code === 0) return;
    const cause = textOf((text, length) => this.#functions.MPI_Error_string(code, text, length));
    // MPICH continues with the functions that led to it.
    throw new JobError(`${name} failed: ${cause.split(/, error stack:|\n/)[0]!.trim()}`);
  }
}

/** Consecutive parts of at most `length` elements. */
function* chunks<
  View extends Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer> | Uint8Array<ArrayBuffer>,
>(
  values: View,
  length: number,
): Generator<View> {
  for (let start = 0; start < values.length; start += length) {
    yield values.subarray(start, start + length) as View;
  }
}
