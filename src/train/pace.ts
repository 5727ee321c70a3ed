import { reportCapacity } from "./iteration/reports.ts";

/** Decides when to read reports back, and measures the speed between two readings. */
export class Pace {
  #iteration: number;
  #time = performance.now();
  #next: number;

  /** @param interval desired time between two readings, in milliseconds */
  constructor(iteration: number, readonly interval: number) {
    this.#iteration = iteration;
    this.#next = iteration + 1;
  }

  /** Continues at another iteration. */
  restart(iteration: number): void {
    this.#iteration = iteration;
    this.#time = performance.now();
    this.#next = iteration + 1;
  }

  /** Whether to fetch reports now. */
  due(iteration: number): boolean {
    return iteration >= this.#next;
  }

  /** Seconds, and iterations per second, since the last call, once all submitted work is known to be done. */
  measured(iteration: number): { seconds: number; iterationsPerSecond: number } {
    const now = performance.now();
    const milliseconds = Math.max(now - this.#time, 1e-3);
    const rate = (iteration - this.#iteration) / milliseconds;
    const ahead = Math.round(rate * this.interval);
    this.#next = iteration + Math.min(Math.max(ahead, 1), reportCapacity);
    this.#iteration = iteration;
    this.#time = now;
    return { seconds: milliseconds / 1000, iterationsPerSecond: rate * 1000 };
  }
}
