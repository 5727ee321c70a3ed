import { median } from "./statistics.ts";

/** The time of a call, in milliseconds. */
export interface Times {
  /** The first call, which compiles. */
  readonly first: number;
  /** A later one: the median over rounds of calls. */
  readonly median: number;
}

/** How often calls are timed. Times are in milliseconds. */
export const timing = {
  /** Calls between two waits last about this long, because Deno checks only every 10 ms whether a wait is over … */
  longEnough: 250,
  /** … but there are at most this many, because some libraries keep all results until they are waited for. */
  mostCalls: 2048,
  /** Most rounds. */
  rounds: 5,
  /** No round begins after this time. */
  enoughTime: 4000,
} as const;

/** Fewer rounds or calls than {@link timing} gives. */
export type TimingLimits = Partial<Record<"rounds" | "mostCalls", number>>;

/**
 * Times calls of something, many between two waits.
 * @param call submits the work once
 * @param wait waits until all that was submitted is done
 */
export async function timeCalls(
  call: () => void | Promise<void>,
  wait: () => Promise<unknown>,
  limits: TimingLimits = {},
): Promise<Times> {
  const { first, rounds } = await timeRounds(call, wait, limits);
  return { first, median: median(rounds) };
}

/** Milliseconds of the first call, and of a later one in each of several rounds; see {@link timeCalls}. */
export async function timeRounds(
  call: () => void | Promise<void>,
  wait: () => Promise<unknown>,
  { rounds = timing.rounds, mostCalls = timing.mostCalls }: TimingLimits = {},
): Promise<{ readonly first: number; readonly rounds: number[] }> {
  const first = await timeRound(1, call, wait);
  const calls = await callsPerWait((calls) => timeRound(calls, call, wait), mostCalls);
  const times: number[] = [];
  const began = performance.now();
  do {
    times.push(await timeRound(calls, call, wait));
  } while (times.length < rounds && performance.now() - began < timing.enoughTime);
  return { first, rounds: times };
}

/**
 * The number of calls that lasts long enough.
 * @param time returns milliseconds of a call, given the number of calls between two waits
 */
export async function callsPerWait(
  time: (calls: number) => Promise<number>,
  mostCalls: number = timing.mostCalls,
): Promise<number> {
  let calls = 1;
  // Doubled, because the time of a single call would be that of its wait.
  while (2 * calls <= mostCalls && calls * await time(calls) < timing.longEnough) calls *= 2;
  return calls;
}

/** Milliseconds of a call, given the number of calls between two waits. */
export async function timeRound(
  calls: number,
  call: () => void | Promise<void>,
  wait: () => Promise<unknown>,
): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < calls; i++) await call();
  await wait();
  return (performance.now() - start) / calls;
}
