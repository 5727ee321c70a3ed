import type { IterationReport } from "./iteration_report.ts";
import type { Attempt } from "./recovery/recovery.ts";
import type { TestedSet, TestResult } from "./test_result.ts";

/** Where a run stands. */
export interface Progress {
  readonly report: IterationReport;
  readonly iterations: number;
  /** Labelled images and images of the likelihood, per second. */
  readonly imagesPerSecond: number;
  readonly secondsLeft: number;
  /** Share of the time that went into exchanges with other processes, and waiting for them; undefined if there are none. */
  readonly exchangeShare: number | undefined;
  /** Since when the run has shown early signs of divergence, if it does. */
  readonly leaningSince: number | undefined;
}

/** What a run tells while it goes on. */
export interface RunListener {
  filling(made: number, total: number): void;
  progress(progress: Progress): void;
  /** The run goes back to an earlier checkpoint, since it showed signs of divergence. */
  recovering(attempt: Attempt): void;
  /** @param set what the evaluation used: the test set, or the images that were held out */
  tested(iteration: number, result: TestResult, set: TestedSet): void;
  /** A line that the user should see. */
  note(line: string): void;
}

/** Of the processes of a job that print nothing. */
export const silentListener: RunListener = {
  filling() {},
  progress() {},
  recovering() {},
  tested() {},
  note() {},
};
