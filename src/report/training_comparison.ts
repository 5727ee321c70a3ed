/** The trainings of several runs side by side, whether or not they have ended. */

import { percent } from "../evaluate/percent.ts";
import { damagedText } from "../train/run/damaged_lines.ts";
import type { CurvePoint } from "../train/run/thinned_curve.ts";
import type { TrainedRun } from "../train/run/trained_run.ts";
import { groupOf } from "./comparison.ts";
import { curves, type LineStyle } from "./figures.ts";
import { palette } from "./plot.ts";
import { type Answer, AnswerBuilder } from "./question.ts";

/** The axes on which trainings can be aligned. */
export const axes = ["iteration", "time"] as const;

/** One of {@link axes}. */
export type Axis = typeof axes[number];

/** The state of a run. */
export interface Standing {
  readonly name: string;
  readonly state: TrainedRun["state"];
  /** Number of iterations in its metrics, and in the whole run; null if unknown. */
  readonly reached: number;
  readonly iterations: number | null;
  /** Seconds of training; null if its metrics have no times. */
  readonly seconds: number | null;
  /** Loss of the last iteration's first gradient, in nats; null if it is not finite. */
  readonly loss: number | null;
  /** The last test, if there has been one. */
  readonly test?: { readonly accuracy: number; readonly after: number; readonly isHeldOut: boolean };
}

/** Quantities of single batches, with a plot each. */
const noisy = [
  { curve: "loss", called: "training loss" },
  { curve: "crossEntropy", called: "training cross-entropy" },
  { curve: "accuracy", called: "training accuracy" },
] as const;

/** Most bins of the lower axis. A curve shows its mean in each, because values of single batches hide each other. */
const mostBins = 100;

/** Units of time, each for durations of at least so long. */
const units = [
  { called: "hours", short: "h", seconds: 3600, from: 3 * 3600 },
  { called: "minutes", short: "min", seconds: 60, from: 180 },
  { called: "seconds", short: "s", seconds: 1, from: 0 },
] as const;

/** Strokes of lines with the same colour. */
const dashes: readonly (readonly number[])[] = [[1, 0], [6, 3], [2, 2], [9, 3, 2, 3]];

/** The state of a run, by its metrics. */
export function standingOf({ name, state, iterations, metrics }: TrainedRun): Standing {
  const { iteration, seconds } = metrics.last;
  const loss = metrics.curve("loss").at(-1);
  const { points, isHeldOut } = testsOf(metrics);
  const test = points.at(-1);
  return {
    name,
    state,
    reached: iteration + 1,
    iterations,
    seconds: Number.isNaN(seconds) ? null : seconds,
    loss: loss?.iteration === iteration && Number.isFinite(loss.value) ? loss.value : null,
    ...test && { test: { accuracy: test.value, after: test.iteration + 1, isHeldOut } },
  };
}

/** The states of runs, one row each after the head. */
export function trainingTable(standings: readonly Standing[]): string[][] {
  const head = ["", "state", "iterations", "time", "training loss", "accuracy in the last test"];
  const rows = standings.map(({ name, state, reached, iterations, seconds, loss, test }) => [
    name,
    state,
    iterations === null ? `${reached}` : `${reached} of ${iterations}`,
    seconds === null ? "–" : timeText(seconds),
    loss === null ? reached === 0 ? "–" : "not finite" : loss.toFixed(4),
    test ? `${percent(test.accuracy)}${test.isHeldOut ? " held out" : ""} after ${test.after}` : "–",
  ]);
  return [head, ...rows];
}

/**
 * The trainings as a section: each run's state, and their curves over one axis.
 * @returns the section, the table, and a line for everything that could not be shown
 */
export async function trainingComparison(
  runs: readonly TrainedRun[],
  by: Axis,
): Promise<Answer & { readonly table: string[][]; readonly warnings: readonly string[] }> {
  const report = new AnswerBuilder("Training");
  const standings = runs.map(standingOf);
  const warnings = [...damages(runs), ...by === "time" ? withoutTimes(standings) : []];
  for (const warning of warnings) report.warning(warning);
  const table = trainingTable(standings);
  report.table(table[0]!, table.slice(1), "A run that stopped at a sign of divergence has diverged.");
  const axis = axisOf(standings, by);
  const style = stylesOf(runs.map(({ name }) => name));
  for (const { curve, called } of noisy) {
    const series = seriesOf(runs, ({ metrics }) => binned(axis.points(metrics.curve(curve)), axis.width));
    if (Object.keys(series).length === 0) continue;
    const spec = curves(series, { x: axis.called, y: called, style });
    await report.plot(`compare_training_${curve}`, spec, `${called}, means over ${axis.widthText}`);
  }
  const tests = seriesOf(runs, ({ metrics }) => axis.points(testsOf(metrics).points));
  if (Object.keys(tests).length > 0) {
    const heldOut = runs.filter(({ metrics }) => testsOf(metrics).isHeldOut).map(({ name }) => name);
    const note = heldOut.length > 0 ? `; on training images that were held out: ${heldOut.join(", ")}` : "";
    const spec = curves(tests, { x: axis.called, y: "accuracy in tests", points: true, style });
    await report.plot("compare_training_tests", spec, `accuracy in the tests during training${note}`);
  }
  return { ...report.answer({ by, runs: standings }), table, warnings };
}

/** The tests during a training: those on the test set, or on held-out images if there are more of them. */
function testsOf(metrics: TrainedRun["metrics"]): { points: CurvePoint[]; isHeldOut: boolean } {
  const [test, heldOut] = [metrics.curve("testAccuracy"), metrics.curve("validationAccuracy")];
  const isHeldOut = heldOut.length > test.length;
  return { points: isHeldOut ? heldOut : test, isHeldOut };
}

function damages(runs: readonly TrainedRun[]): string[] {
  return runs.filter(({ metrics }) => metrics.damaged > 0)
    .map(({ name, metrics: { damaged } }) => `${name}: ${damagedText(damaged)}`);
}

function withoutTimes(standings: readonly Standing[]): string[] {
  const names = standings.filter(({ seconds }) => seconds === null).map(({ name }) => name);
  return names.length === 0
    ? []
    : [`no times in metrics.jsonl, and so not shown over time: ${names.join(", ")}; try --by iteration`];
}

/** A lower axis. */
interface LowerAxis {
  readonly called: string;
  /** The width of a bin, in its unit. */
  readonly width: number;
  readonly widthText: string;
  /** The range of a curve's finite values. */
  points(curve: readonly CurvePoint[]): [number, number][];
}

function axisOf(standings: readonly Standing[], by: Axis): LowerAxis {
  const places = (curve: readonly CurvePoint[], at: (point: CurvePoint) => number) =>
    curve.map((point): [number, number] => [at(point), point.value])
      .filter((place) => place.every(Number.isFinite));
  if (by === "iteration") {
    const width = Math.max(1, Math.ceil(Math.max(...standings.map(({ reached }) => reached)) / mostBins));
    return {
      called: "iterations",
      width,
      widthText: width === 1 ? "1 iteration" : `${width} iterations`,
      points: (curve) => places(curve, ({ iteration }) => iteration + 1),
    };
  }
  const longest = Math.max(0, ...standings.map(({ seconds }) => seconds ?? 0));
  const unit = unitOf(longest);
  const width = Math.max(longest / unit.seconds / mostBins, Number.MIN_VALUE);
  return {
    called: `${unit.called} of training`,
    width,
    widthText: `${width.toPrecision(2)} ${unit.short}`,
    points: (curve) => places(curve, ({ seconds }) => seconds / unit.seconds),
  };
}

/** The mean point of each bin with a finite one. */
function binned(points: readonly [number, number][], width: number): [number, number][] {
  const members = Map.groupBy(points, ([at]) => Math.ceil(at / width));
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return [...members.values()]
    .map((all): [number, number] => [mean(all.map(([at]) => at)), mean(all.map(([, value]) => value))])
    .filter((point) => point.every(Number.isFinite));
}

function seriesOf(
  runs: readonly TrainedRun[],
  points: (run: TrainedRun) => [number, number][],
): Record<string, [number, number][]> {
  return Object.fromEntries(
    runs.map((run) => [run.name, points(run)] as const).filter(([, { length }]) => length > 0),
  );
}

/** A colour for each group of runs and a stroke for each member; a colour for each run if there are few. */
function stylesOf(names: readonly string[]): (name: string) => LineStyle {
  const groups = Map.groupBy(names, groupOf);
  const isGrouped = groups.size > 1 && groups.size <= palette.length &&
    groups.values().every(({ length }) => length <= dashes.length);
  return (name) => {
    const group = groups.get(groupOf(name))!;
    const [colour, stroke] = isGrouped
      ? [[...groups.keys()].indexOf(groupOf(name)), group.indexOf(name)]
      : [names.indexOf(name), Math.floor(names.indexOf(name) / palette.length)];
    return { colour: palette[colour % palette.length]!, dash: dashes[stroke % dashes.length]! };
  };
}

function unitOf(seconds: number) {
  return units.find(({ from }) => seconds >= from)!;
}

function timeText(seconds: number): string {
  const unit = unitOf(seconds);
  return `${(seconds / unit.seconds).toFixed(1)} ${unit.short}`;
}
