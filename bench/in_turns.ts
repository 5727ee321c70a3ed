/** Training iterations of two trainers in turns, so that both meet the same moments of a busy machine. */

import { reportCapacity, type Trainer } from "../src/train/trainer.ts";
import { median } from "./statistics.ts";
import { callsPerWait, timeRound } from "./timing.ts";

const turns = 40;

/** Measures after two turns that do not count; a line with medians, fastest times and the ratio of neighbours. */
export async function iterationsInTurns(
  name: string,
  both: readonly [readonly [label: string, trainer: Trainer], readonly [label: string, trainer: Trainer]],
): Promise<string> {
  const timed = both.map(([label, trainer]) => ({ label, trainer, times: [] as number[] }));
  const time = (trainer: Trainer, iterations: number) =>
    timeRound(iterations, () => trainer.advance(), () => trainer.fetchReports());
  for (const { trainer } of timed) await time(trainer, 1);
  const iterations = await callsPerWait((calls) => time(both[0][1], calls), reportCapacity);
  for (let turn = -2; turn < turns; turn++) {
    for (const { trainer, times } of timed) {
      const milliseconds = await time(trainer, iterations);
      if (turn >= 0) times.push(milliseconds);
    }
  }
  const [first, second] = timed;
  const ratios = first!.times.map((time, i) => time / second!.times[i]!);
  const show = (what: string, of: (times: readonly number[]) => number) =>
    `${what} ${of(first!.times).toFixed(1)} and ${of(second!.times).toFixed(1)} ms`;
  return `${name}, ${turns} turns of ${iterations}, ${first!.label} and ${second!.label} in turns on ` +
    `${first!.trainer.model.context.gpu.adapterName}: ${show("median", median)}, ` +
    `${show("fastest", (times) => Math.min(...times))}, ` +
    `${first!.label} / ${second!.label} by the median of neighbours ${median(ratios).toFixed(3)}`;
}
