/** Curves as a page holds them: as JSON that the page's script draws. */

import { type CurveName, curveNames, type MetricsReader } from "./metrics_reader.ts";
import type { CurvePoint } from "./thinned_curve.ts";

/** The curves of a run, fit for JSON: the iterations, seconds and values of each, null where there is none. */
export interface EmbeddedRun {
  readonly name: string;
  readonly curves: Readonly<Partial<Record<CurveName, readonly (readonly (number | null)[])[]>>>;
}

/** Digits of times and values: more than can be seen. */
const digits = 6;

/** The curves that a reader has found. */
export function embeddedRun(name: string, reader: MetricsReader): EmbeddedRun {
  const short = (value: number) => Number.isNaN(value) ? null : Number(value.toPrecision(digits));
  const found = curveNames.map((curve) => [curve, reader.curve(curve)] as const);
  const curves = found.filter(([, points]) => points.length > 0).map(([curve, points]) => [curve, [
    points.map(({ iteration }) => iteration),
    points.map(({ seconds }) => short(seconds)),
    points.map(({ value }) => short(value)),
  ]]);
  return { name, curves: Object.fromEntries(curves) };
}

/** The points of a run's curve. */
export function embeddedCurve({ curves }: EmbeddedRun, name: CurveName): CurvePoint[] {
  const [iterations = [], seconds = [], values = []] = curves[name] ?? [];
  return iterations.map((iteration, i) => ({
    iteration: iteration!,
    seconds: seconds[i] ?? NaN,
    value: values[i] ?? NaN,
  }));
}
