/** How exactly a proportion is known from a sample. */

/** Bounds of an interval. */
export type Interval = readonly [low: number, high: number];

/** The standard normal distribution's 97.5 % quantile. */
const z = 1.959963984540054;

/**
 * The 95 % interval of a proportion by Wilson's score (Probable inference, JASA 1927): the true proportions that a
 * two-sided test would not reject. It lies within [0, 1], and has a width even if no trial or every trial hits.
 * @param hits number of trials that hit
 * @returns [0, 1] if there are no trials
 */
export function wilsonInterval(hits: number, trials: number): Interval {
  if (trials === 0) return [0, 1];
  const share = hits / trials;
  const scale = 1 + z ** 2 / trials;
  const centre = (share + z ** 2 / (2 * trials)) / scale;
  const half = z / scale * Math.sqrt(share * (1 - share) / trials + z ** 2 / (4 * trials ** 2));
  return [hits === 0 ? 0 : centre - half, hits === trials ? 1 : centre + half];
}

/** {@link wilsonInterval} of a share, given the number of trials behind it. */
export function shareInterval(share: number, trials: number): Interval {
  return wilsonInterval(Math.round(share * trials), trials);
}
