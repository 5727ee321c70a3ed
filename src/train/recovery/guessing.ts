import type { Dataset } from "../../data/dataset.ts";
import { percent } from "../../evaluate/percent.ts";
import { worseThanGuessing } from "./health.ts";
import type { TestResult } from "../test_result.ts";

/**
 * A warning about a classifier that has learned nothing. Runs may end like that without an error, above all those that
 * recovered at a low rate.
 * @returns undefined if the lower bound of its accuracy's 95 % interval is above always guessing the most frequent
 *   class, and its loss is not so far above that of guessing that a run in training would be said to lean
 */
export function guessingWarning({ classNames, test }: Dataset, result: TestResult): string | undefined {
  const { testAccuracy, testAccuracyInterval: [low], testLoss } = result;
  if (classNames.length < 2) return undefined;
  const [share, loss] = [mostFrequentShare(test.labels), Math.log(classNames.length)];
  if (low > share && testLoss < loss + worseThanGuessing.leans) return undefined;
  const found = `test accuracy ${percent(testAccuracy)}, loss ${testLoss.toPrecision(3)}`;
  return `this model is no better than guessing: ${found} (guessing: ${percent(share)}, ${
    loss.toPrecision(3)
  })`;
}

function mostFrequentShare(labels: Uint32Array): number {
  const counts = new Map<number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return Math.max(0, ...counts.values()) / labels.length;
}
