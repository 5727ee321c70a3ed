/** Intervals by the bootstrap (Efron, Bootstrap methods: another look at the jackknife, Annals of Statistics 1979). */

import { Purpose, RandomStream } from "../random/philox.ts";
import { type Interval, wilsonInterval } from "./proportion.ts";

/** Number of resamples for an interval. */
export const resamples = 1000;

/**
 * What is resampled. Resamples for different uses are independent. A use with two kinds of images takes two numbers.
 */
export const Resampled = {
  samples: 0,
  buffer: 2,
  baseline: 4,
  nearest: 6,
  frechet: 8,
  score: 9,
  inceptionScore: 10,
} as const;

/** The random numbers from which resamples are drawn. */
export interface BootstrapOptions {
  readonly seed: number;
  /** One of {@link Resampled}. */
  readonly stream: number;
}

/**
 * How often each of n points occurs in one of {@link resamples} resamples of n points, drawn with replacement.
 * @param resample its number, from 0
 * @returns `[n]`
 */
export function resampled(points: number, { seed, stream }: BootstrapOptions, resample: number): Uint32Array {
  const random = new RandomStream(seed, Purpose.bootstrap, stream);
  const times = new Uint32Array(points);
  for (let i = 0; i < points; i++) times[random.integer(resample * points + i, points)]!++;
  return times;
}

/**
 * The 95 % interval from the statistics of resamples: their 2.5 % and 97.5 % quantiles, interpolated linearly between
 * order statistics (Hyndman and Fan's type 7, as numpy's `percentile`).
 */
export function percentileInterval(statistics: Float64Array): Interval {
  const sorted = statistics.toSorted();
  const quantile = (share: number) => {
    const place = share * (sorted.length - 1);
    const below = Math.floor(place);
    const above = Math.min(below + 1, sorted.length - 1);
    return sorted[below]! + (place - below) * (sorted[above]! - sorted[below]!);
  };
  return [quantile(0.025), quantile(0.975)];
}

/**
 * The 95 % interval of a figure that is not a mean, around its value: {@link percentileInterval} of resamples, shifted
 * by the difference between the value and their mean. A resample has fewer different images, so a distance computed
 * from it is too large, like a distance computed from few images. Without the shift the value itself could lie outside.
 */
export function centredInterval(value: number, statistics: Float64Array): Interval {
  const mean = statistics.reduce((sum, statistic) => sum + statistic, 0) / statistics.length;
  const [low, high] = percentileInterval(statistics);
  return [low + value - mean, high + value - mean];
}

/** A number with its 95 % interval. */
export interface Estimate {
  readonly value: number;
  readonly interval: Interval;
}

/**
 * Means of values over the same points, with their percentile intervals from common resamples of the points. Where all
 * values are 0, or all are 1, resamples cannot differ. A mean that is a proportion then has Wilson's interval.
 * @param columns the value of each point, `[n]` each, n ≥ 1
 */
export function bootstrapMeans<Name extends string>(
  columns: Readonly<Record<Name, { readonly values: Float64Array; readonly isProportion: boolean }>>,
  options: BootstrapOptions,
): Record<Name, Estimate> {
  const entries = Object.entries(columns) as [Name, typeof columns[Name]][];
  const points = entries[0]![1].values.length;
  const means = entries.map(() => new Float64Array(resamples));
  for (let b = 0; b < resamples; b++) {
    const times = resampled(points, options, b);
    entries.forEach(([, { values }], c) => {
      let sum = 0;
      for (let i = 0; i < points; i++) sum += times[i]! * values[i]!;
      means[c]![b] = sum / points;
    });
  }
  const estimates = entries.map(([name, { values, isProportion }], c): [Name, Estimate] => {
    const value = values.reduce((sum, value) => sum + value, 0) / points;
    const flat = isProportion && (value === 0 || value === 1);
    return [name, {
      value,
      interval: flat ? wilsonInterval(value * points, points) : percentileInterval(means[c]!),
    }];
  });
  return Object.fromEntries(estimates) as Record<Name, Estimate>;
}
