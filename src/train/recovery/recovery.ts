/**
 * Recovery from divergence: the one place that decides what a run does about it. A run goes back to a checkpoint from
 * before the trouble, and continues from there with another random stream and a lower learning rate. The attempts are
 * part of the run's state, so the whole run still depends on its configuration alone.
 */

import { CheckpointError } from "../../errors.ts";
import { philox4x32, Purpose, streamWords } from "../../random/philox.ts";
import type { Health, Sign } from "./health.ts";

/** One attempt to recover. */
export interface Attempt extends Sign {
  /** Iteration of the checkpoint that the run went back to. */
  readonly from: number;
}

/** What a run keeps in its checkpoints about its health. */
export interface RecoveryState {
  readonly attempts: readonly Attempt[];
  readonly health: Health;
}

/** The state of a new run. */
export const noRecovery: RecoveryState = { attempts: [], health: { means: {} } };

/** Iterations over which the learning rate rises after a recovery, if the warm-up is not longer. */
const shortestRise = 100;

/**
 * Factor of the learning rate after recoveries. The n-th attempt starts at 10^−n, rises linearly over the length of the
 * warm-up, at least {@link shortestRise} iterations, and stays at twice that, as after one of the published decays.
 */
export function rateFactor(attempts: readonly Attempt[], iteration: number, warmup: number): number {
  const last = attempts.at(-1);
  if (!last) return 1;
  const risen = Math.min(1, (iteration - last.from) / Math.max(warmup, shortestRise));
  return 10 ** -attempts.length * (1 + risen);
}

/** Seed of everything random in the iterations after a number of attempts. Before the first one it is the run's own. */
export function streamSeed(seed: number, attempts: number): number {
  if (attempts === 0) return seed;
  const [low, high] = philox4x32([attempts, 0, Purpose.recovery, 0], [...streamWords(seed, 0)]);
  return low + high % 2 ** 21 * 2 ** 32;
}

/** What to do about a sign of divergence. */
export type Decision =
  | { readonly kind: "back"; readonly attempt: Attempt }
  | { readonly kind: "stop"; readonly because: string };

/**
 * Decides what a run does about a sign. The first attempt goes back to the newest checkpoint from at least an interval
 * before the trouble started, because one from just before it often leans already. Each further attempt goes back one
 * checkpoint more, and finally to the beginning.
 * @param allowed number of attempts in a run
 * @param checkpoints iterations of the existing checkpoints, in any order
 * @param interval iterations between two of them
 */
export function decide(
  sign: Sign,
  attempts: readonly Attempt[],
  allowed: number,
  checkpoints: readonly number[],
  interval: number,
): Decision {
  const stop = (because: string): Decision => ({ kind: "stop", because });
  if (allowed === 0) return stop("with --set recover=3 a resumed run goes back and recovers");
  if (attempts.length >= allowed) return stop(tried(attempts));
  if (sign.iteration === 0) return stop("nothing has been learned by then, so that no checkpoint can help");
  const before = checkpoints.filter((iteration) => iteration <= sign.began).sort((a, b) => b - a);
  const clear = before.filter((iteration) => iteration <= sign.began - interval);
  const from = clear[attempts.length] ?? before.at(-1);
  if (from === undefined) return stop("there is no checkpoint from before");
  return { kind: "back", attempt: { ...sign, from } };
}

function tried(attempts: readonly Attempt[]): string {
  const parts = attempts.map(({ iteration, from }, i) =>
    `from ${from} with the rate times ${10 ** -(i + 1)} (up to ${iteration})`
  );
  return `recovery failed ${
    parts.join(", ")
  }; resume with a smaller learningRate, stepSize, rho or likelihoodWeight`;
}

/** Reports with the attempts to recover that went back to their iterations, if any. */
export function withAttempts<Report extends { readonly iteration: number }>(
  reports: readonly Report[],
  attempts: readonly Attempt[],
): (Report & { readonly recoveries?: readonly Attempt[] })[] {
  return reports.map((report) => {
    const recoveries = attempts.filter(({ from }) => from === report.iteration);
    return recoveries.length > 0 ? { ...report, recoveries } : report;
  });
}

/**
 * A state from a checkpoint's metadata.
 * @throws {CheckpointError} if it is invalid.
 */
export function parseRecoveryState(value: unknown): RecoveryState {
  const { attempts, health } = (value ?? {}) as Partial<RecoveryState>;
  if (!Array.isArray(attempts) || !attempts.every(isAttempt) || !isHealth(health)) {
    throw new CheckpointError("damaged checkpoint: its state of recovery cannot be read");
  }
  return { attempts, health };
}

function isAttempt(value: unknown): value is Attempt {
  const { iteration, began, seen, from } = (value ?? {}) as Partial<Attempt>;
  return [iteration, began, from].every(isCount) && typeof seen === "string" && seen.length < 200;
}

function isHealth(value: unknown): value is Health {
  const { means, firstGradient, begun = {}, leaningSince } = (value ?? {}) as Partial<Health>;
  const areNumbers = (some: unknown) =>
    typeof some === "object" && some !== null && Object.values(some).every(isFinite);
  return areNumbers(means) && areNumbers(begun) &&
    (firstGradient === undefined || isFinite(firstGradient)) &&
    (leaningSince === undefined || isCount(leaningSince));
}

const isFinite = (value: unknown) => typeof value === "number" && Number.isFinite(value);
const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
