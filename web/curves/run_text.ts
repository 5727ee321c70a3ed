/** The page's words about a run. */

import { damagedText } from "../../src/train/run/damaged_lines.ts";
import type { FollowedRun } from "./followed_run.ts";
import { countText, timeText } from "./numbers.ts";

/** The run's progress: its iterations, the time left, the accuracy. */
export function progressOf(run: FollowedRun): string {
  const { listed: { iterations, about }, reader } = run;
  const done = reader.last.iteration + 1;
  const of = iterations === null ? "" : ` of ${countText(iterations)}`;
  const accuracy = run.curve("testAccuracy").at(-1);
  return [
    about,
    done === 0 ? "no iteration yet" : `${countText(done)}${of} iterations`,
    ...secondsLeft(run),
    ...(accuracy ? [`test accuracy ${(100 * accuracy.value).toFixed(1)} %`] : []),
  ].filter((part) => part !== "").join(" · ");
}

/** Share of the run that is done; undefined if its length is unknown. */
export function shareOf({ listed: { iterations }, reader }: FollowedRun): number | undefined {
  return iterations ? Math.min(1, (reader.last.iteration + 1) / iterations) : undefined;
}

function secondsLeft(run: FollowedRun): string[] {
  const { listed: { iterations, imagesPerIteration, state }, reader } = run;
  const speed = run.curve("imagesPerSecond").at(-1)?.value;
  if (state !== "running" || !iterations || !imagesPerIteration || !speed) return [];
  const left = (iterations - reader.last.iteration - 1) * imagesPerIteration / speed;
  return [`${countText(Math.round(speed))} images/s`, `about ${timeText(left)} left`];
}

/** Anything out of order. */
export function warningsOf(run: FollowedRun): string[] {
  const { reader: { damaged, sign } } = run;
  return [
    ...(sign ? [`At iteration ${countText(sign.iteration)}: ${sign.seen}.`] : []),
    ...(damaged > 0 ? [damagedText(damaged)] : []),
    ...(run.isCutOff ? ["The last line of metrics.jsonl is cut off."] : []),
  ];
}
