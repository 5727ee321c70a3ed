import type { CurvePoint } from "../../src/train/run/thinned_curve.ts";

/** The axes for the lower side of charts. */
export type Axis = "iteration" | "seconds";

/** The scales for the values. */
export type Scale = "linear" | "log";

/** A line to draw: ascending positions on the lower axis, and values, null for a gap. */
export interface LinePoints {
  readonly x: number[];
  readonly y: (number | null)[];
}

/** Keeps points with the same time apart, in seconds, because rows are written many at a time. */
const instant = 1e-6;

/**
 * Places points on an axis.
 * @param smoothing iterations over which a running mean forgets; 0 leaves the values unchanged
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
 * The spacing of values on a logarithmic scale. If some are below 0, it is the inverse hyperbolic sine, which is
 * logarithmic on both sides.
 */
export function spacing(scale: Scale, lines: readonly LinePoints[]): "linear" | "log" | "asinh" {
  if (scale === "linear") return "linear";
  return lines.some(({ y }) => y.some((value) => value !== null && value < 0)) ? "asinh" : "log";
}

/** The line without values that do not exist on a logarithmic scale. */
export function positive({ x, y }: LinePoints): LinePoints {
  return { x, y: y.map((value) => value !== null && value > 0 ? value : null) };
}

/** The index of the point nearest to a position; undefined before the line begins and after it ends. */
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
