import { FormatError } from "../../errors.ts";
import { reportFields } from "../../jem/training_step.ts";
import type { IterationReport } from "../iteration/report.ts";
import type { Attempt } from "../recovery/recovery.ts";
import type { TestedSet, TestResult } from "../test_result.ts";

/** A row about an iteration, in the form in which it is written. */
export type ReportRow = IterationReport & {
  /** Seconds that the run had trained when the iteration ended, in all its processes one after another. */
  readonly seconds: number;
  /** What went back to this iteration. */
  readonly recoveries?: readonly Attempt[];
};

/** A row about a test of the model, in the form in which it is written. */
export interface TestRow extends TestResult {
  /** The last iteration before the test. */
  readonly iteration: number;
  /** As in a {@link ReportRow}, at the end of the test. */
  readonly seconds: number;
  readonly set: TestedSet;
}

/** A line of `metrics.jsonl` without its end. */
export interface MetricsRow {
  readonly iteration: number;
  /** For a test, the set that was tested. */
  readonly set?: TestedSet;
  /** Seconds that the run had trained. Rows of earlier versions, and rows restored from a checkpoint, have none. */
  readonly seconds?: number;
  readonly line: string;
}

/** The contents of a file of metrics. */
export interface MetricsRows {
  /** If a row occurs several times, the last one. */
  readonly rows: readonly MetricsRow[];
  /** Number of lines that are not rows. */
  readonly damaged: number;
  /** Number of rows that occur several times. */
  readonly repeated: number;
  /** Number of lines that end with a carriage return. */
  readonly carriageReturns: number;
}

/** The other fields of a row, each a number, or null if it does not apply. */
const reportNumbers = ["learningRate", ...reportFields];
const testNumbers = ["testAccuracy", "testImages", "testLoss", "ece"] as const satisfies (keyof TestResult)[];

/** More invalid lines than any accident leaves. */
const mostDamaged = 1000;

/** A row in the form in which it is written. */
export function rowOf(contents: ReportRow | TestRow): MetricsRow {
  const { iteration, seconds, ...others } = contents;
  const line = JSON.stringify({ iteration, seconds, ...others });
  return { iteration, seconds, line, ..."set" in contents && { set: contents.set } };
}

/** Identifies a row: rows with the same key replace each other. */
export function keyOf({ iteration, set }: MetricsRow): string {
  return `${iteration} ${set ?? "report"}`;
}

/** A row's line without its time. This part is the same whenever the same run is computed. */
export function withoutTime({ line }: MetricsRow): string {
  return line.replace(/"seconds":[^,}]*,|,"seconds":[^,}]*/, "");
}

/** Rows in order of iteration, with the report of an iteration before its tests. */
export function sortedRows(rows: Iterable<MetricsRow>): MetricsRow[] {
  const order = [undefined, "validation", "test"];
  return [...rows].sort((a, b) => a.iteration - b.iteration || order.indexOf(a.set) - order.indexOf(b.set));
}

/**
 * Reads the lines of a file of metrics.
 * @throws {FormatError} if it is not such a file: more than a thousand lines are not rows.
 */
export function readRows(text: string): MetricsRows {
  const rows = new Map<string, MetricsRow>();
  const repeated = new Set<string>();
  let [damaged, carriageReturns] = [0, 0];
  for (const ended of linesOf(text)) {
    const line = ended.replace(/\r$/, "");
    if (line !== ended) carriageReturns++;
    const row = readRow(line);
    if (row === undefined) {
      if (++damaged > mostDamaged) {
        throw new FormatError(`more than ${mostDamaged} lines are no rows of metrics`);
      }
      continue;
    }
    const key = keyOf(row);
    if (rows.has(key)) repeated.add(key);
    rows.set(key, row);
  }
  return { rows: [...rows.values()], damaged, repeated: repeated.size, carriageReturns };
}

/** Lines one by one. What follows the last line's end is not a line. */
function* linesOf(text: string): Generator<string> {
  for (let start = 0; start < text.length;) {
    const end = text.indexOf("\n", start);
    yield text.slice(start, end < 0 ? text.length : end);
    start = end < 0 ? text.length : end + 1;
  }
}

/** The row of a line that is exactly as it was written; undefined for any other. */
function readRow(line: string): MetricsRow | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || JSON.stringify(value) !== line) return undefined;
  const row = value as Record<string, unknown>;
  const { iteration, seconds, set } = row;
  if (!Number.isSafeInteger(iteration) || (iteration as number) < 0) return undefined;
  if (seconds !== undefined && !(Number.isFinite(seconds) && (seconds as number) >= 0)) return undefined;
  if (set !== undefined && set !== "test" && set !== "validation") return undefined;
  const numbers = set === undefined ? reportNumbers : testNumbers;
  if (!numbers.every((name) => row[name] === null || typeof row[name] === "number")) return undefined;
  return {
    iteration: iteration as number,
    line,
    ...set !== undefined && { set },
    ...seconds !== undefined && { seconds: seconds as number },
  };
}
