/** Proportions in words. */

import type { Interval } from "./proportion.ts";

/** A fraction as a percentage, with two decimals below ten. */
export function percent(fraction: number): string {
  return `${percentage(fraction)} %`;
}

/** Bounds of a proportion in per cent, such as 95.3–98.7. */
export function intervalText([low, high]: Interval): string {
  return `${percentage(low)}–${percentage(high)}`;
}

/** A proportion with its bounds, such as 97.5 % (95.3–98.7). */
export function percentWithin(fraction: number, interval: Interval): string {
  return `${percent(fraction)} (${intervalText(interval)})`;
}

function percentage(fraction: number): string {
  const value = 100 * fraction;
  return value.toFixed(Math.abs(value) < 10 ? 2 : 1);
}
