/** Several evaluations side by side. */

import { curves } from "./figures.ts";
import { percent } from "./percent.ts";
import { AnswerBuilder } from "./question.ts";

/** What `results.json` holds of an evaluation, as far as it is compared. */
export interface Evaluation {
  /** The run's name; runs whose names differ in a trailing number only are one group. */
  readonly name: string;
  readonly results: Readonly<Record<string, unknown>>;
  /** PNG of its samples by class, if there is one. */
  readonly samples?: Uint8Array;
}

/** One row of the comparison: where the figure is found in the results, and how it is written. */
interface Row {
  readonly name: string;
  readonly path: readonly (string | number)[];
  readonly show: (value: number) => string;
}

const decimals = (digits: number) => (value: number) => value.toFixed(digits);

/** @param sets names of the sets that the test images were told apart from */
const rowsWith = (sets: readonly string[]): readonly Row[] => [
  { name: "test accuracy", path: ["classification", "test", "accuracy"], show: percent },
  { name: "test cross-entropy", path: ["classification", "test", "loss"], show: decimals(4) },
  { name: "training accuracy", path: ["classification", "train", "accuracy"], show: percent },
  { name: "calibration error, 20 bins", path: ["calibration", "ece20"], show: percent },
  { name: "Brier score", path: ["calibration", "brier"], show: decimals(4) },
  ...sets.map((set) => ({
    name: `AUROC by log p̃(x), ${set}`,
    path: ["outOfDistribution", set, "logDensity", "auroc"],
    show: decimals(3),
  })),
  { name: "accuracy, L∞ 8/255", path: ["robustness", "linf", "records", "8", -1], show: percent },
  { name: "accuracy, L∞ 30/255", path: ["robustness", "linf", "records", "30", -1], show: percent },
  { name: "accuracy, L2 0.5", path: ["robustness", "l2", "records", "0.5", -1], show: percent },
  { name: "purified, L∞ 8/255", path: ["robustness", "purified", "accuracies", -1], show: percent },
  { name: "FID", path: ["generation", "inception", "fid"], show: decimals(2) },
  { name: "KID", path: ["generation", "inception", "kid", "mean"], show: decimals(4) },
  { name: "Inception Score", path: ["generation", "inception", "inceptionScore", "mean"], show: decimals(2) },
  {
    name: "Fréchet classifier distance",
    path: ["generation", "frechetClassifierDistance"],
    show: decimals(3),
  },
  {
    name: "kernel classifier distance",
    path: ["generation", "kernelClassifierDistance", "mean"],
    show: decimals(4),
  },
  { name: "sharpness", path: ["landscape", "sharpness"], show: decimals(4) },
  {
    name: "largest Hessian eigenvalue",
    path: ["landscape", "eigenvalue"],
    show: (value) => value.toPrecision(2),
  },
];

/** The group of a run: its name without a trailing number, such as a seed. */
export function groupOf(name: string): string {
  return name.replace(/[-_]\d+$/, "");
}

/** A table: a column for each group of runs, means with the range's half where there are several runs. */
export function comparisonTable(evaluations: readonly Evaluation[]): { head: string[]; rows: string[][] } {
  const groups = [...new Set(evaluations.map(({ name }) => groupOf(name)))];
  const members = (group: string) => evaluations.filter(({ name }) => groupOf(name) === group);
  const head = [
    "",
    ...groups.map((group) => members(group).length > 1 ? `${group} (${members(group).length})` : group),
  ];
  const lines = rowsWith(outsideSets(evaluations)).map(({ name, path, show }) => [
    name,
    ...groups.map((group) => cell(members(group).map(({ results }) => numberAt(results, path)), show)),
  ]);
  return { head, rows: lines.filter(([, ...cells]) => cells.some((text) => text !== "–")) };
}

/** The other sets of all evaluations, in their order. */
function outsideSets(evaluations: readonly Evaluation[]): string[] {
  return [...new Set(evaluations.flatMap(({ results }) => Object.keys(results["outOfDistribution"] ?? {})))];
}

function cell(values: readonly (number | undefined)[], show: (value: number) => string): string {
  const known = values.filter((value) => value !== undefined);
  if (known.length === 0) return "–";
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
  if (known.length === 1) return show(mean);
  const deviation = Math.sqrt(
    known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (known.length - 1),
  );
  return `${show(mean)} ± ${show(deviation)}`;
}

/** The number at a path through objects and arrays; −1 is an array's last element. */
function numberAt(value: unknown, path: readonly (string | number)[]): number | undefined {
  for (const key of path) {
    if (Array.isArray(value)) value = value.at(Number(key));
    else if (typeof value === "object" && value !== null) value = (value as Record<string, unknown>)[key];
    else return undefined;
  }
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

/** The comparison as a section: the table, and the curves that differ. */
export async function comparisonSection(evaluations: readonly Evaluation[]) {
  const { head, rows } = comparisonTable(evaluations);
  const report = new AnswerBuilder("Comparison").table(
    head,
    rows,
    "Groups of runs that differ by a trailing number: mean ± standard deviation.",
  );
  const shown: readonly [string, readonly string[], string, string][] = [
    ["linf", ["robustness", "linf", "points"], "ε · 255 (L∞)", "accuracy"],
    ["l2", ["robustness", "l2", "points"], "ε (L2)", "accuracy"],
    ["ascent", ["landscape", "ascent"], "distance along SAM's ascent direction", "cross-entropy"],
  ];
  for (const [name, path, x, y] of shown) {
    const series = groupCurves(evaluations, path);
    if (Object.keys(series).length === 0) continue;
    await report.plot(
      `compare_${name}`,
      curves(series, { x, y, points: true }),
      `${y} over ${x}, mean of each group`,
    );
  }
  const pictured = new Set<string>();
  for (const { name, samples } of evaluations) {
    if (!samples || pictured.has(groupOf(name))) continue;
    pictured.add(groupOf(name));
    report.picture(`compare_samples_${pictured.size}`, samples, `Samples by class: ${name}`);
  }
  return report.answer({ head, rows });
}

function groupCurves(
  evaluations: readonly Evaluation[],
  path: readonly string[],
): Record<string, [number, number][]> {
  const series: Record<string, [number, number][]> = {};
  for (const group of new Set(evaluations.map(({ name }) => groupOf(name)))) {
    const all = evaluations.filter(({ name }) => groupOf(name) === group)
      .map(({ results }) =>
        path.reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], results)
      )
      .filter((points): points is [number, number][] => Array.isArray(points));
    const [first] = all;
    if (!first) continue;
    series[group] = first.map((
      [x],
      i,
    ) => [x, all.reduce((sum, points) => sum + points[i]![1] / all.length, 0)]);
  }
  return series;
}
