/** Training iterations of two trainers in turns, so that both meet the same moments of a busy machine. */

import type { Trainer } from "../src/train/trainer.ts";
import { median } from "./statistics.ts";

const iterations = 40;

/** Measures after two iterations that do not count; a line with medians, fastest times and the ratio of neighbours. */
export async function iterationsInTurns(
  name: string,
  both: readonly [readonly [label: string, trainer: Trainer], readonly [label: string, trainer: Trainer]],
): Promise<string> {
  const timed = both.map(([label, trainer]) => ({ label, trainer, times: [] as number[] }));
  for (let i = -2; i < iterations; i++) {
    for (const { trainer, times } of timed) {
      const start = performance.now();
      trainer.advance();
      await trainer.fetchReports();
      if (i >= 0) times.push(performance.now() - start);
    }
  }
  const [first, second] = timed;
  const ratios = first!.times.map((time, i) => time / second!.times[i]!);
  const show = (what: string, of: (times: readonly number[]) => number) =>
    `${what} ${of(first!.times).toFixed(1)} and ${of(second!.times).toFixed(1)} ms`;
  return `${name}, ${iterations} iterations, ${first!.label} and ${second!.label} in turns on ` +
    `${first!.trainer.model.context.gpu.adapterName}: ${show("median", median)}, ` +
    `${show("fastest", (times) => Math.min(...times))}, ` +
    `${first!.label} / ${second!.label} by the median of neighbours ${median(ratios).toFixed(3)}`;
}
