import { SadaJemError } from "../errors.ts";
import { type Communicator, rankName } from "./communicator.ts";

/** Milliseconds that a rank above 0 waits before it tells what went wrong: if all fail alike, rank 0 alone is heard. */
const precedence = 3000;

/** Milliseconds between the line and the abort, at which a launcher drops what it has not read yet. */
const delivery = 300;

/** Takes the line that tells of a failure, and what was thrown. */
export type Tell = (line: string, error: unknown) => void;

/**
 * Does the work of this process in a job, and leaves the job in order. If the work throws, or anything throws outside of
 * it or rejects without a handler meanwhile, then one line with rank, host and cause is told, and the job is aborted with
 * status 1, which ends the other processes too, whatever they wait for. In a job of one process the error is thrown.
 *
 * A process that ends without a word (`Deno.exit`, a signal) is noticed by the launcher, which ends the others. One that
 * hangs is noticed by nobody: the others wait until the launcher's or the cluster's limit of time.
 */
export async function asRank<Result>(
  communicator: Communicator,
  tell: Tell,
  work: () => Promise<Result>,
): Promise<Result> {
  using stray = new StrayErrors();
  let result: Result;
  try {
    result = await Promise.race([work(), stray.first]);
  } catch (error) {
    if (communicator.size === 1) throw error;
    if (communicator.rank > 0) await wait(precedence);
    tell(`${rankName(communicator)}: ${causeOf(error)}`, error);
    await wait(delivery);
    communicator.abort(1);
  }
  communicator.close();
  return result;
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Errors that nothing catches, while this is not disposed. */
class StrayErrors implements Disposable {
  /** Rejects with the first one. */
  readonly first: Promise<never>;
  readonly #listening = new AbortController();

  constructor() {
    const { promise, reject } = Promise.withResolvers<never>();
    const { signal } = this.#listening;
    // What keeps Deno from ending the process with a trace of the stack.
    const take = (event: Event, error: unknown) => {
      event.preventDefault();
      reject(error);
    };
    addEventListener("error", (event) => take(event, event.error), { signal });
    addEventListener("unhandledrejection", (event) => take(event, event.reason), { signal });
    this.first = promise;
  }

  [Symbol.dispose](): void {
    this.#listening.abort();
  }
}

/** What went wrong, in one line. */
function causeOf(error: unknown): string {
  if (error instanceof SadaJemError) return error.message;
  return String(error).replaceAll(/\s*\n\s*/g, " ");
}
