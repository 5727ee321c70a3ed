import type { IterationReport } from "./iteration/report.ts";
import type { Attempt } from "./recovery/recovery.ts";
import type { TestedSet, TestResult } from "./test_result.ts";

/** The progress of a run. */
export interface Progress {
  readonly report: IterationReport;
  readonly iterations: number;
  /** Labelled images and images of the likelihood, per second. */
  readonly imagesPerSecond: number;
  readonly secondsLeft: number;
  /**
   * Share of the time spent in exchanges with other processes, including the wait for them; undefined if there are
   * none.
   */
  readonly exchangeShare: number | undefined;
  /** Since when the run has shown early signs of divergence, if it does. */
  readonly leaningSince: number | undefined;
}

/** Receives what a run reports. */
export interface RunListener {
  filling(made: number, total: number): void;
  progress(progress: Progress): void;
  /** The run goes back to an earlier checkpoint, because it showed signs of divergence. */
  recovering(attempt: Attempt): void;
  /** @param set the images of the evaluation: the test set, or the held-out images */
  tested(iteration: number, result: TestResult, set: TestedSet): void;
  /** A line for the user. */
  note(line: string): void;
}

/** For processes of a job that print nothing. */
export const silentListener: RunListener = {
  filling() {},
  progress() {},
  recovering() {},
  tested() {},
  note() {},
};
