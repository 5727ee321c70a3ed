/** Several evaluations side by side. */

import { percent, percentWithin } from "../evaluate/percent.ts";
import type { Interval } from "../evaluate/proportion.ts";
import { conditions, differences, differenceText, type Path, valueAt } from "./budgets.ts";
import { type Row, rowName, rowsWith } from "./comparison_rows.ts";
import { type EvaluationFile, pointsOf } from "./evaluation_file.ts";
import { curves } from "./figures.ts";
import { AnswerBuilder, intervalNote } from "./question.ts";

/** An evaluation that is compared. */
export interface Evaluation extends EvaluationFile {
  /** The run's name. Runs whose names differ only in a trailing number form one group. */
  readonly name: string;
  /** PNG of its samples by class, if there is one. */
  readonly samples?: Uint8Array;
}

/** The group of a run: its name without a trailing number, such as a seed. */
export function groupOf(name: string): string {
  return name.replace(/[-_]\d+$/, "");
}

interface Group {
  /** The name of a single run, or what the names of several have in common, and how many they are. */
  readonly label: string;
  readonly members: readonly Evaluation[];
}

/** The groups of some runs, in order. */
function groupsOf(evaluations: readonly Evaluation[]): Group[] {
  return [...Map.groupBy(evaluations, ({ name }) => groupOf(name))].map(([group, members]) => ({
    label: members.length > 1 ? `${group} (${members.length})` : members[0]!.name,
    members,
  }));
}

/** Figures of several evaluations side by side. */
export interface Comparison {
  readonly head: string[];
  /** A row whose figures are not comparable is marked, and {@link warnings} gives the reason. */
  readonly rows: string[][];
  /** One line for each reason why figures are not comparable, with the figures concerned. */
  readonly warnings: string[];
}

const mark = "≠";

/**
 * A table with a column for each group of runs: means, with their standard deviation if there are several runs. Runs of
 * one group that are not comparable have no mean.
 */
export function comparisonTable(evaluations: readonly Evaluation[]): Comparison {
  const groups = groupsOf(evaluations);
  const head = ["", ...groups.map(({ label }) => label)];
  const rows: string[][] = [];
  const concerned = new Map<string, string[]>();
  for (const row of rowsWith(outsideSets(evaluations))) {
    const known = evaluations.filter(({ results }) => numberAt(results, row.path) !== undefined);
    if (known.length === 0) continue;
    const found = differences(known, row.wanted);
    const cells = groups.map(({ members }) => cell(members.filter((member) => known.includes(member)), row));
    const name = rowName(row, known);
    rows.push([found.length > 0 ? `${name} ${mark}` : name, ...cells]);
    if (found.length === 0) continue;
    const reason = found.map(differenceText).join("; ");
    concerned.set(reason, [...concerned.get(reason) ?? [], name]);
  }
  const warnings = [...concerned].map(([reason, names]) =>
    `not comparable (${mark}): ${names.join(", ")}; they differ in ${reason}`
  );
  return { head, rows, warnings };
}

/** The other sets of all evaluations, in order. */
function outsideSets(evaluations: readonly Evaluation[]): string[] {
  return [...new Set(evaluations.flatMap(({ results }) => Object.keys(results["outOfDistribution"] ?? {})))];
}

function cell(members: readonly Evaluation[], { path, show, wanted, interval }: Row): string {
  const [first] = members;
  if (!first) return "–";
  const values = members.map(({ results }) => numberAt(results, path)!);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length === 1) {
    const bounds = interval?.(first.results);
    if (!isInterval(bounds)) return show(mean);
    if (show === percent) return percentWithin(mean, bounds);
    return `${show(mean)} (${bounds.map(show).join("–")})`;
  }
  if (differences(members, wanted).length > 0) return "not comparable";
  const deviation = Math.sqrt(
    values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1),
  );
  return `${show(mean)} ± ${show(deviation)}`;
}

function isInterval(value: unknown): value is Interval {
  return Array.isArray(value) && value.length === 2 && value.every((bound) => typeof bound === "number");
}

/** The finite number at a path. */
function numberAt(results: unknown, path: Path): number | undefined {
  const value = valueAt(results, path);
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

/** The curves that are drawn. */
const shownCurves = [
  {
    name: "linf",
    path: ["robustness", "linf", "points"],
    x: "ε · 255 (L∞)",
    y: "accuracy",
    wanted: conditions.attack,
  },
  { name: "l2", path: ["robustness", "l2", "points"], x: "ε (L2)", y: "accuracy", wanted: conditions.attack },
  {
    name: "ascent",
    path: ["landscape", "ascent"],
    x: "distance along SAM's ascent direction",
    y: "cross-entropy",
    wanted: conditions.landscape,
  },
] as const;

/** The comparison as a section: the table, and the curves that differ. */
export async function comparisonSection(evaluations: readonly Evaluation[]) {
  const comparison = comparisonTable(evaluations);
  const { head, rows, warnings } = comparison;
  const report = new AnswerBuilder("Comparison");
  for (const warning of warnings) report.warning(warning);
  report.table(
    head,
    rows,
    `Groups of runs that differ by a trailing number: mean ± standard deviation. ${intervalNote} Those of generated images are ` +
      "percentiles of the bootstrap.",
  );
  for (const { name, path, x, y, wanted } of shownCurves) {
    const series = groupCurves(evaluations, path);
    if (Object.keys(series).length === 0) continue;
    const found = differences(
      evaluations.filter(({ results }) => pointsOf(valueAt(results, path))),
      wanted,
    );
    const warning = found.length > 0 ? `. Not comparable: ${found.map(differenceText).join("; ")}` : "";
    await report.plot(
      `compare_${name}`,
      curves(series, { x, y, points: true }),
      `${y} over ${x}, mean of each group${warning}`,
    );
  }
  const pictured = new Set<string>();
  for (const { name, samples } of evaluations) {
    if (!samples || pictured.has(groupOf(name))) continue;
    pictured.add(groupOf(name));
    report.picture(`compare_samples_${pictured.size}`, samples, `Samples by class: ${name}`);
  }
  return { ...report.answer({ ...comparison }), table: [head, ...rows], warnings };
}

function groupCurves(
  evaluations: readonly Evaluation[],
  path: readonly string[],
): Record<string, [number, number][]> {
  const series: Record<string, [number, number][]> = {};
  for (const { label, members } of groupsOf(evaluations)) {
    const all = members
      .map(({ results }) => pointsOf(valueAt(results, path)))
      .filter((points) => points !== undefined);
    const [first] = all;
    if (!first) continue;
    const mean = (i: number) => all.reduce((sum, points) => sum + points[i]![1] / all.length, 0);
    // Curves of other lengths have points elsewhere, so they have no mean.
    series[label] = all.every(({ length }) => length === first.length)
      ? first.map(([x], i) => [x, mean(i)])
      : first.map(([x, y]) => [x, y]);
  }
  return series;
}
