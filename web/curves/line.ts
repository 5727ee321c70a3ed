import type { CurvePoint } from "../../src/train/run/thinned_curve.ts";

/** What charts have on their lower axis. */
export type Axis = "iteration" | "seconds";

/** How charts space their values. */
export type Scale = "linear" | "log";

/** A line as it is drawn: ascending places on the lower axis, and values, null where there is a gap. */
export interface LinePoints {
  readonly x: number[];
  readonly y: (number | null)[];
}

/** Keeps points of the same time apart, in seconds: rows are written many at a time. */
const instant = 1e-6;

/**
 * Places points on an axis.
 * @param smoothing iterations over which a running mean forgets; 0 leaves the values as they are
 */
export function placed(points: readonly CurvePoint[], axis: Axis, smoothing: number): LinePoints {
  const shown = smoothing > 0 ? smoothed(points, smoothing) : points;
  if (axis === "iteration") {
    return {
      x: shown.map(({ iteration }) => iteration),
      y: shown.map(({ value }) => Number.isNaN(value) ? null : value),
    };
  }
  const timed = shown.filter(({ seconds }) => !Number.isNaN(seconds)).sort((a, b) => a.seconds - b.seconds);
  const [x, y]: [number[], (number | null)[]] = [[], []];
  for (const { seconds, value } of timed) {
    x.push(Math.max(seconds, (x.at(-1) ?? -Infinity) + instant));
    y.push(Number.isNaN(value) ? null : value);
  }
  return { x, y };
}

/** Running means that forget over a number of iterations. */
function smoothed(points: readonly CurvePoint[], memory: number): CurvePoint[] {
  let [mean, last] = [NaN, 0];
  return points.map((point) => {
    if (Number.isNaN(point.value)) return point;
    const weight = 1 - Math.exp(-(point.iteration - last) / memory);
    mean = Number.isNaN(mean) ? point.value : mean + weight * (point.value - mean);
    last = point.iteration;
    return { ...point, value: mean };
  });
}

/**
 * How values are spaced if a logarithmic scale is wished: where some are below 0, by the inverse hyperbolic sine, which is
 * logarithmic on both sides.
 */
export function spacing(scale: Scale, lines: readonly LinePoints[]): "linear" | "log" | "asinh" {
  if (scale === "linear") return "linear";
  return lines.some(({ y }) => y.some((value) => value !== null && value < 0)) ? "asinh" : "log";
}

/** The line without values that a logarithmic scale has no place for. */
export function positive({ x, y }: LinePoints): LinePoints {
  return { x, y: y.map((value) => value !== null && value > 0 ? value : null) };
}

/** The index of the point nearest to a place; undefined where the line has not begun or has ended. */
export function nearest({ x }: LinePoints, place: number): number | undefined {
  if (x.length === 0) return undefined;
  const [first, last] = [x[0]!, x.at(-1)!];
  const room = (last - first) / 50;
  if (place < first - room || place > last + room) return undefined;
  let [low, high] = [0, x.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (x[middle]! <= place) low = middle;
    else high = middle;
  }
  return place - x[low]! <= x[high]! - place ? low : high;
}
