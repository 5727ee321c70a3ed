import { readRegularFile } from "../../data/regular_file.ts";
import { FormatError, StorageError } from "../../errors.ts";
import { exists, systemProblem, writeAll, writeAtomically } from "./files.ts";
import {
  keyOf,
  type MetricsRow,
  type MetricsRows,
  readRows,
  type ReportRow,
  rowOf,
  sortedRows,
  type TestRow,
  withoutTime,
} from "./metrics_rows.ts";

/** Most rows in a checkpoint, the newest ones: about 2.5 MB. */
export const recentRows = 10_000;
/** Most bytes of a file that is read: 350,000 rows. */
const mostBytes = 2 ** 27;

/**
 * `metrics.jsonl`, one line for each iteration and each test. It is a log: what cannot be written waits in memory, and
 * training continues. Every checkpoint also has the newest rows, from which the file is repaired. They have no times
 * there, because a checkpoint has the same bits however fast it was reached.
 */
export class MetricsFile {
  readonly #path: string;
  /** The newest rows, without a gap. */
  #recent: MetricsRow[] = [];
  #unwritten = "";
  /** Bytes of the file if nobody else has touched it. */
  #size = 0;
  #failing = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** The newest rows below an iteration as text, for its checkpoint. */
  recentBelow(iteration: number): string {
    return this.#recent.filter((row) => row.iteration < iteration).map((row) => `${withoutTime(row)}\n`).join(
      "",
    );
  }

  /** Seconds that the run had trained at its newest row; 0 if no row says. */
  get seconds(): number {
    return this.#recent.findLast((row) => row.seconds !== undefined)?.seconds ?? 0;
  }

  /**
   * Adds rows. A test that is already there is not repeated.
   * @param tell takes a line when they cannot be written, and when they can be again
   */
  async append(contents: readonly (ReportRow | TestRow)[], tell: (line: string) => void): Promise<void> {
    const rows = contents.map(rowOf).filter((row) => !this.#hasTest(row));
    if (rows.length === 0) return;
    this.#recent = [...this.#recent, ...rows].slice(-recentRows);
    this.#unwritten += rows.map(({ line }) => `${line}\n`).join("");
    try {
      await this.#write(tell);
      if (this.#failing) tell(`${this.#path} can be written again; nothing is missing`);
      this.#failing = false;
    } catch (error) {
      const problem = error instanceof StorageError ? error.message : systemProblem(error);
      if (problem === undefined) throw error;
      if (!this.#failing) {
        tell(`warning: ${this.#path}: ${problem}; training goes on, and the rows wait in memory`);
      }
      this.#failing = true;
    }
  }

  #hasTest(row: MetricsRow): boolean {
    return row.set !== undefined && this.#recent.some((other) => keyOf(other) === keyOf(row));
  }

  async #write(tell: (line: string) => void): Promise<void> {
    const next = this.#recent.at(-1);
    if (next && this.#size > 0 && await sizeOf(this.#path) < this.#size) {
      // Somebody has removed or shortened the file.
      for (const line of await this.#mend(next.iteration + 1, this.#recent)) tell(`warning: ${line}`);
      this.#unwritten = "";
      return;
    }
    const bytes = new TextEncoder().encode(this.#unwritten);
    using file = await Deno.open(this.#path, { write: true, create: true });
    // A failed write may have left half a line.
    await file.truncate(this.#size);
    await file.seek(this.#size, Deno.SeekMode.Start);
    await writeAll(file, bytes);
    this.#size += bytes.length;
    this.#unwritten = "";
  }

  /**
   * Makes the file hold the rows of all iterations below `iteration`, as far as the file itself and the checkpoint have
   * them.
   * @param kept the checkpoint's copy of the newest rows
   * @returns the problems, one line each
   */
  async rewind(iteration: number, kept: string | undefined): Promise<string[]> {
    const rows = kept === undefined ? [] : readRows(kept).rows;
    this.#recent = rows.filter((row) => row.iteration < iteration);
    this.#unwritten = "";
    try {
      return await this.#mend(iteration, this.#recent);
    } catch (error) {
      const problem = error instanceof StorageError ? error.message : systemProblem(error);
      if (problem === undefined) throw error;
      return [`${this.#path}: ${problem}; metrics are only kept in the checkpoints`];
    }
  }

  /**
   * The existing contents. A file that cannot hold metrics gets another name, so that it is neither lost nor in the
   * way.
   */
  async #read(): Promise<{ text: string; found: MetricsRows; aside: string[] }> {
    try {
      const text = await textOf(this.#path);
      return { text, found: readRows(text), aside: [] };
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      const path = `${this.#path}.unusable`;
      await Deno.rename(this.#path, path);
      const aside = [`${error.message}; it is now ${path}, and the rows are those of the checkpoint`];
      return { text: "", found: readRows(""), aside };
    }
  }

  async #mend(iteration: number, kept: readonly MetricsRow[]): Promise<string[]> {
    const { text, found, aside } = await this.#read();
    const rows = new Map(
      found.rows.filter((row) => row.iteration < iteration).map((row) => [keyOf(row), row]),
    );
    const restored = kept.filter((row) => {
      const there = rows.get(keyOf(row));
      return !there || withoutTime(there) !== withoutTime(row);
    });
    for (const row of restored) rows.set(keyOf(row), row);
    const all = sortedRows(rows.values());
    const mended = all.map(({ line }) => `${line}\n`).join("");
    if (mended !== text) await writeAtomically(this.#path, mended);
    this.#size = new TextEncoder().encode(mended).length;
    this.#recent = newestRun(all).slice(-recentRows);
    return [
      ...aside,
      ...problems(this.#path, found, restored.map((row) => row.iteration)),
      ...gaps(this.#path, all, iteration),
    ];
  }
}

/** The text of a file of metrics, if there is one. */
async function textOf(path: string): Promise<string> {
  return await exists(path) ? new TextDecoder().decode(await readRegularFile(path, mostBytes)) : "";
}

function problems(
  path: string,
  { damaged, repeated, carriageReturns }: ReturnType<typeof readRows>,
  restored: readonly number[],
): string[] {
  const parts = [
    ...(damaged > 0 ? [`${damaged} ${damaged === 1 ? "line" : "lines"} could not be read`] : []),
    ...(repeated > 0 ? [`${repeated} ${repeated === 1 ? "row" : "rows"} stood there twice`] : []),
    ...(carriageReturns > 0 ? [`${carriageReturns} lines ended as on Windows`] : []),
    ...(restored.length > 0
      ? [
        `the rows of iterations ${
          described(ranges(restored))
        } were missing or changed, and are those of the checkpoint now`,
      ]
      : []),
  ];
  return parts.length === 0 ? [] : [`${path} was mended: ${parts.join("; ")}`];
}

function gaps(path: string, rows: readonly MetricsRow[], iteration: number): string[] {
  const missing: Range[] = [];
  let next = 0;
  const reported = rows.filter(({ set }) => set === undefined).map((row) => row.iteration);
  for (const found of [...reported, iteration]) {
    if (found > next) missing.push([next, found - 1]);
    next = found + 1;
  }
  if (missing.length === 0) return [];
  return [
    `${path} lacks the rows of iterations ${described(missing)}, which the checkpoint does not hold either`,
  ];
}

/** The rows at the end that have no gap. */
function newestRun(rows: readonly MetricsRow[]): MetricsRow[] {
  const last = rows.findLastIndex((row, i) => i > 0 && row.iteration > rows[i - 1]!.iteration + 1);
  return rows.slice(Math.max(last, 0));
}

/** The first and the last of consecutive numbers. */
type Range = [first: number, last: number];

/** Ascending numbers, possibly repeated, as few ranges. */
function ranges(numbers: readonly number[]): Range[] {
  const found: Range[] = [];
  for (const number of numbers) {
    const last = found.at(-1);
    if (last && last[1] >= number - 1) last[1] = number;
    else found.push([number, number]);
  }
  return found;
}

/** The first ranges: "0–4, 7". */
function described(found: readonly Range[]): string {
  const shown = found.slice(0, 5).map(([first, last]) => first === last ? `${first}` : `${first}–${last}`);
  return shown.join(", ") + (found.length > 5 ? " and others" : "");
}

async function sizeOf(path: string): Promise<number> {
  return await exists(path) ? (await Deno.stat(path)).size : 0;
}
