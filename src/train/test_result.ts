import type { Interval } from "../evaluate/proportion.ts";

/** Accuracy, mean cross-entropy (nats) and expected calibration error on the test set. */
export interface TestResult {
  readonly testAccuracy: number;
  /** 95 % interval of the accuracy. */
  readonly testAccuracyInterval: Interval;
  readonly testImages: number;
  readonly testLoss: number;
  readonly ece: number;
}
