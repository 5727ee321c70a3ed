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

/** Reads the lines of a file of metrics; any text is allowed. */
export function readRows(text: string): MetricsRows {
  const rows = new Map<number, MetricsRow>();
  const [repeated, lines] = [new Set<number>(), text.split("\n")];
  let [damaged, carriageReturns] = [0, 0];
  // What follows the last line's end is not a line.
  if (lines.at(-1) === "") lines.pop();
  for (const ended of lines) {
    const line = ended.replace(/\r$/, "");
    if (line !== ended) carriageReturns++;
    const iteration = iterationOf(line);
    if (iteration === undefined) {
      damaged++;
      continue;
    }
    if (rows.has(iteration)) repeated.add(iteration);
    rows.set(iteration, { iteration, line });
  }
  return { rows: [...rows.values()], damaged, repeated: repeated.size, carriageReturns };
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
