import { FormatError } from "../../errors.ts";
import { reportFields } from "../../jem/training_step.ts";

/** A line of `metrics.jsonl` without its end. */
export interface MetricsRow {
  readonly iteration: number;
  readonly line: string;
}

/** What a file of metrics holds. */
export interface MetricsRows {
  /** Of rows for the same iteration, the last. */
  readonly rows: readonly MetricsRow[];
  /** Lines that are no row. */
  readonly damaged: number;
  /** Iterations that have several rows. */
  readonly repeated: number;
  /** Lines that end with a carriage return. */
  readonly carriageReturns: number;
}

const numbers = ["learningRate", ...reportFields];

/** More lines that are no row than any accident leaves. */
const mostDamaged = 1000;

/**
 * Reads the lines of a file of metrics.
 * @throws {FormatError} if it is no such file: it has more than a thousand lines that are no row.
 */
export function readRows(text: string): MetricsRows {
  const rows = new Map<number, MetricsRow>();
  const repeated = new Set<number>();
  let [damaged, carriageReturns] = [0, 0];
  for (const ended of linesOf(text)) {
    const line = ended.replace(/\r$/, "");
    if (line !== ended) carriageReturns++;
    const iteration = iterationOf(line);
    if (iteration === undefined) {
      if (++damaged > mostDamaged) {
        throw new FormatError(`more than ${mostDamaged} lines are no rows of metrics`);
      }
      continue;
    }
    if (rows.has(iteration)) repeated.add(iteration);
    rows.set(iteration, { iteration, line });
  }
  return { rows: [...rows.values()], damaged, repeated: repeated.size, carriageReturns };
}

/** Lines one by one; what follows the last line's end is none. */
function* linesOf(text: string): Generator<string> {
  for (let start = 0; start < text.length;) {
    const end = text.indexOf("\n", start);
    yield text.slice(start, end < 0 ? text.length : end);
    start = end < 0 ? text.length : end + 1;
  }
}

/** The iteration of a line that is exactly as it was written; undefined of any other. */
function iterationOf(line: string): number | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || JSON.stringify(value) !== line) return undefined;
  const row = value as Record<string, unknown>;
  const isWhole = numbers.every((name) => row[name] === null || typeof row[name] === "number");
  const { iteration } = row;
  return isWhole && Number.isSafeInteger(iteration) && (iteration as number) >= 0
    ? iteration as number
    : undefined;
}
