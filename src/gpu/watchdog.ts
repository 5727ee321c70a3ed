/** The work that a wait is for. */
export interface Waited {
  /** Dispatches since the last wait. */
  readonly dispatches: number;
  /** Whether there are new pipelines among them. Drivers compile those at their first use, which may take minutes. */
  readonly compiles: boolean;
}

/**
 * The limit is counted in this many parts, so that a computer that slept, or a thread that was held up, loses only one
 * of them.
 */
const parts = 10;

/**
 * Notices waits for the GPU that do not end. A wait counts as lost after ten times the longest wait before it, or more
 * if it is for more work than any before. Where the wait itself blocks the thread, as in Deno, nothing can be noticed.
 */
export class Watchdog {
  /** The least time allowed for a wait, in milliseconds. */
  shortest = 30_000;
  /** The least time allowed for a wait with new pipelines, in milliseconds. */
  shortestCompiling = 30 * 60_000;
  #longest = 0;
  #mostDispatches = 1;

  /** How long a wait may take, in milliseconds. */
  limit({ dispatches, compiles }: Waited): number {
    const usual = 10 * this.#longest * Math.max(1, dispatches / this.#mostDispatches);
    return Math.max(usual, compiles ? this.shortestCompiling : this.shortest);
  }

  /**
   * Waits for what `begin` begins.
   * @returns its result, or undefined if it did not end within the limit
   */
  async watch<Result>(begin: () => Promise<Result>, waited: Waited): Promise<Result | undefined> {
    const began = performance.now();
    const pending = begin();
    let passed = 0;
    let timer: ReturnType<typeof setInterval> | undefined;
    const overdue = new Promise<undefined>((resolve) => {
      timer = setInterval(() => {
        if (++passed === parts) resolve(undefined);
      }, this.limit(waited) / parts);
    });
    try {
      const result = await Promise.race([pending, overdue]);
      this.#longest = Math.max(this.#longest, performance.now() - began);
      this.#mostDispatches = Math.max(this.#mostDispatches, waited.dispatches);
      return result;
    } finally {
      clearInterval(timer);
    }
  }
}
