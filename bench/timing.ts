import { median } from "./statistics.ts";

/** What a call took, in milliseconds. */
export interface Times {
  /** The first call, which compiles. */
  readonly first: number;
  /** A later one: the median over rounds of calls. */
  readonly median: number;
}

/** How often calls are timed; times in milliseconds. */
export const timing = {
  /** Calls between two waits last so long, so that the waits' polling hardly counts, … */
  longEnough: 100,
  /** … but there are no more of them than this. */
  mostCalls: 20,
  leastRounds: 3,
  /** Rounds at most. */
  rounds: 7,
  /** After so long no further round begins. */
  enoughTime: 8000,
} as const;

/**
 * Times calls of something, many between two waits.
 * @param call submits the work once
 * @param wait waits until all that was submitted is done
 * @param rounds at most
 */
export async function timeCalls(
  call: () => void | Promise<void>,
  wait: () => Promise<unknown>,
  rounds: number = timing.rounds,
): Promise<Times> {
  const time = async (calls: number) => {
    const start = performance.now();
    for (let i = 0; i < calls; i++) await call();
    await wait();
    return (performance.now() - start) / calls;
  };
  const { longEnough, mostCalls, leastRounds, enoughTime } = timing;
  const first = await time(1);
  const calls = Math.ceil(Math.min(mostCalls, longEnough / await time(1)));
  const times: number[] = [];
  const began = performance.now();
  while (times.length < leastRounds || (times.length < rounds && performance.now() - began < enoughTime)) {
    times.push(await time(calls));
  }
  return { first, median: median(times) };
}
