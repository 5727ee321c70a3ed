import type { IterationReport } from "./iteration/report.ts";
import { type Attempt, withAttempts } from "./recovery/recovery.ts";
import type { MetricsFile } from "./run/metrics_file.ts";
import type { TestedSet, TestResult } from "./test_result.ts";

/** Writes training's reports into the run's metrics, with the time. */
export class MetricsLog {
  readonly #file: MetricsFile | undefined;
  readonly #note: (line: string) => void;
  /** The value of `performance.now()` when the run started, as if it had been trained without a break. */
  readonly #began: number;
  /** When the GPU could start on the iterations that are not yet reported, in seconds of the run. */
  #from: number;

  /**
   * @param file undefined in processes of a job that write nothing
   * @param note takes a line if it cannot be written
   */
  constructor(file: MetricsFile | undefined, note: (line: string) => void) {
    this.#file = file;
    this.#note = note;
    this.#from = file?.seconds ?? 0;
    this.#began = performance.now() - this.#from * 1000;
  }

  /** Notes that all iterations are reported, and that the next one starts now. */
  restart(): void {
    this.#from = this.#seconds();
  }

  /**
   * Adds the reports that have just been fetched. The end of each iteration is unknown, so all are taken to have lasted
   * equally long.
   */
  async reports(reports: readonly IterationReport[], attempts: readonly Attempt[]): Promise<void> {
    const [from, to] = [this.#from, this.#seconds()];
    this.#from = to;
    const rows = withAttempts(reports, attempts).map((report, i) => ({
      ...report,
      seconds: milliseconds(from + (to - from) * (i + 1) / reports.length),
    }));
    await this.#file?.append(rows, this.#note);
  }

  /** Adds a test of the model after `iterations` iterations. */
  async test(iterations: number, set: TestedSet, result: TestResult): Promise<void> {
    const row = { iteration: iterations - 1, seconds: this.#seconds(), set, ...result };
    await this.#file?.append([row], this.#note);
  }

  #seconds(): number {
    return milliseconds((performance.now() - this.#began) / 1000);
  }
}

/** Seconds, to the millisecond. */
function milliseconds(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}
