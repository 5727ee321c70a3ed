import type { Array as JaxArray } from "@jax-js/jax";

/**
 * Results of calls of jax-js. It computes a result when that is waited for, and never one that was disposed of before.
 */
export class JaxResults {
  #results: (readonly JaxArray[])[] = [];

  /** Takes the result of a call. */
  add(arrays: readonly JaxArray[]): void {
    this.#results.push(arrays);
  }

  /** Waits until all results are computed, and disposes of all except the latest. */
  async wait(): Promise<void> {
    await Promise.all(this.#results.flat().map((array) => array.blockUntilReady()));
    for (const arrays of this.#results.splice(0, this.#results.length - 1)) {
      for (const array of arrays) array.dispose();
    }
  }

  /** The arrays of the latest result. */
  get latest(): readonly JaxArray[] {
    return this.#results.at(-1)!;
  }
}
