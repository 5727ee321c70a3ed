import { SadaJemError } from "../errors.ts";
import { type Communicator, rankName } from "./communicator.ts";

/**
 * Milliseconds that a rank above 0 waits before it reports a failure. If all ranks fail alike, only rank 0 is heard.
 */
const precedence = 3000;

/** Milliseconds between the report and the abort, at which a launcher drops whatever it has not read yet. */
const delivery = 300;

/** Takes the line that reports a failure, and the value that was thrown. */
export type Tell = (line: string, error: unknown) => void;

/**
 * Does the work of this process in a job, and leaves the job in order. If the work throws, or if meanwhile anything
 * outside it throws, or rejects without a handler, one line with rank, host and cause is reported, and the job is
 * aborted with status 1. That also ends the other processes, whatever they wait for. In a job of one process the error
 * is thrown.
 *
 * A process that ends without a report (`Deno.exit`, a signal) is noticed by the launcher, which ends the others.
 * Nobody notices a process that hangs: the others wait until the launcher's or the cluster's time limit.
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

/** Errors that nothing catches, until this is disposed of. */
class StrayErrors implements Disposable {
  /** Rejects with the first of them. */
  readonly first: Promise<never>;
  readonly #listening = new AbortController();

  constructor() {
    const { promise, reject } = Promise.withResolvers<never>();
    const { signal } = this.#listening;
    // This keeps Deno from ending the process with a stack trace.
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

/** The failure in one line. */
function causeOf(error: unknown): string {
  if (error instanceof SadaJemError) return error.message;
  return String(error).replaceAll(/\s*\n\s*/g, " ");
}
