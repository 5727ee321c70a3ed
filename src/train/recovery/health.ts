/**
 * Early signs of divergence. An energy-based model leans for tens of iterations before its loss overflows: the
 * cross-entropy rises above that of guessing, the energies of real and generated images part, gradients grow. The
 * limits come from healthy and sick runs; docs/training.md has the table.
 */

import type { Divergence } from "./divergence.ts";
import type { IterationReport } from "../iteration/report.ts";

/** What is watched. */
const vitals = ["crossEntropy", "energyGap", "gradientNorm"] as const;
type Vital = typeof vitals[number];

/** The fields of a report from which the vitals follow. */
export type VitalReport = Pick<
  IterationReport,
  "iteration" | "crossEntropy" | "realScore" | "generatedScore" | "gradientNorm"
>;

/** A run's state by its vitals. It depends on the reports alone, and checkpoints keep it. */
export interface Health {
  /** Running mean of each vital. */
  readonly means: Readonly<Partial<Record<Vital, number>>>;
  /** The gradient norm of the first iterations, which later ones are compared with. */
  readonly firstGradient?: number;
  /**
   * How far each vital has been above the level of leaning since the first iteration. A model that was trained for
   * something else starts like that.
   */
  readonly begun?: Readonly<Partial<Record<Vital, number>>>;
  /** Iteration since which some vital has been above the level of leaning. */
  readonly leaningSince?: number;
}

/** A sign that a run is about to diverge, or has diverged. */
export interface Sign {
  /** Iteration that showed it. */
  readonly iteration: number;
  /** Iteration at which the trouble started, as far as the vitals show. */
  readonly began: number;
  /** What was seen, in words. */
  readonly seen: string;
}

/** Bounds of a vital's running mean, in the vital's unit. */
export interface Bounds {
  /** From here on a run leans. If it comes to trouble, the trouble is dated from here. */
  readonly leans: number;
  /** From here on it is taken back. */
  readonly sick: number;
}

/**
 * Iterations over which a running mean forgets: long enough for the noise of small batches, short compared with a
 * collapse.
 */
const memory = 8;

/**
 * Trouble is dated back by at most this many iterations. A run that always leans a little would otherwise lose
 * everything it has learned.
 */
const longestLean = 100;

/**
 * Bounds of the cross-entropy, relative to that of guessing, log(classes). At 2.3 above it, the right class gets a
 * tenth of the probability that guessing gives it.
 */
export const worseThanGuessing: Bounds = { leans: 0.6, sick: 2.3 };

/** The gap of the energies is in nats, the gradient norm in units of that of the first iterations. */
const bounds: Readonly<Record<Vital, Bounds>> = {
  crossEntropy: worseThanGuessing,
  energyGap: { leans: 3, sick: 40 },
  gradientNorm: { leans: 100, sick: 1000 },
};

const words: Readonly<Record<Vital, (mean: string) => string>> = {
  crossEntropy: (mean) => `cross-entropy ${mean} above that of guessing`,
  energyGap: (mean) => `|E(real) − E(generated)| ${mean}`,
  gradientNorm: (mean) => `gradient norm ${mean} times the first ones`,
};

/**
 * Takes in the reports of further iterations.
 * @param classes number of classes in the data
 * @param divergence what the GPU found after the last of them
 * @returns the state after them, or after the one that shows a sign, with that sign
 */
export function watch(
  before: Health,
  reports: readonly VitalReport[],
  classes: number,
  divergence?: Divergence,
): { readonly health: Health; readonly sign?: Sign } {
  let health = before;
  for (const report of reports) {
    const next = takeUp(health, report, classes);
    health = next.health;
    if (next.sign) return next;
  }
  if (!divergence) return { health };
  const { iteration, likelihood, loss } = divergence;
  return { health, sign: signOf(health, iteration, `likelihood term ${likelihood}, loss ${loss}`) };
}

function signOf({ leaningSince }: Health, iteration: number, seen: string): Sign {
  return { iteration, began: Math.max(leaningSince ?? iteration, iteration - longestLean), seen };
}

function takeUp(before: Health, report: VitalReport, classes: number): { health: Health; sign?: Sign } {
  const { iteration } = report;
  const means: Partial<Record<Vital, number>> = {};
  for (const [vital, value] of vitalsOf(report)) {
    const mean = before.means[vital] ?? value;
    means[vital] = mean + (value - mean) / memory;
  }
  const firstGradient = iteration < memory ? means.gradientNorm : before.firstGradient ?? means.gradientNorm;
  const { crossEntropy = 0, energyGap = 0, gradientNorm = 0 } = means;
  const absolute: Readonly<Record<Vital, number>> = {
    crossEntropy: crossEntropy - Math.log(classes),
    energyGap,
    gradientNorm: gradientNorm / (firstGradient || 1),
  };
  const begun = begunWith(before, absolute, iteration);
  const levels = { ...absolute };
  for (const vital of vitals) levels[vital] -= begun[vital] ?? 0;
  const above = (bound: keyof Bounds) => vitals.filter((vital) => levels[vital] > bounds[vital][bound]);
  const leaningSince = above("leans").length > 0 ? before.leaningSince ?? iteration : undefined;
  const health: Health = {
    means,
    ...(firstGradient !== undefined && { firstGradient }),
    ...(Object.keys(begun).length > 0 && { begun }),
    ...(leaningSince !== undefined && { leaningSince }),
  };
  const [worst] = above("sick");
  if (!worst) return { health };
  return { health, sign: signOf(health, iteration, words[worst](absolute[worst].toPrecision(3))) };
}

/**
 * {@link Health.begun} at an iteration: what is high in the first one. It shrinks with the level, until a run would not
 * lean.
 */
function begunWith(
  { begun }: Health,
  levels: Readonly<Record<Vital, number>>,
  iteration: number,
): NonNullable<Health["begun"]> {
  const high = vitals.flatMap((vital): [Vital, number][] => {
    const level = levels[vital];
    const before = iteration === 0 ? level : begun?.[vital] ?? 0;
    return level > bounds[vital].leans && before > 0 ? [[vital, Math.min(before, level)]] : [];
  });
  return Object.fromEntries(high);
}

/** The vitals that an iteration reported; those that do not apply are NaN there. */
function vitalsOf({ crossEntropy, realScore, generatedScore, gradientNorm }: VitalReport) {
  const all: [Vital, number][] = [
    ["crossEntropy", crossEntropy],
    ["energyGap", Math.abs(realScore - generatedScore)],
    ["gradientNorm", gradientNorm],
  ];
  return all.filter(([, value]) => !Number.isNaN(value));
}
