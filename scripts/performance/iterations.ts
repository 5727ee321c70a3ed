/** The table of whole training iterations, from the results of `./run bench iterations`. */

import type { IterationResult } from "../../bench/lib/iteration.ts";
import { markdownTable } from "../markdown.ts";
import { readResults, resultFiles, shortAdapter, threeDigits } from "./results.ts";

/** Results of benches that are no iterations; all others are named after an adapter. */
const otherResults = /^(?!peers-|isa|distributed|published-memory).*\.json$/;

const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

/** The share of the kernels' time that those take whose name begins so. */
function shareOf({ kernels }: IterationResult, start: RegExp): string {
  const chosen = kernels.filter(({ kernel }) => start.test(kernel));
  const milliseconds = (those: IterationResult["kernels"]) => total(those.map((one) => one.milliseconds));
  return `${(100 * milliseconds(chosen) / milliseconds(kernels)).toFixed(0)} %`;
}

/** A row for each iteration that was measured. */
export async function iterationsSection(): Promise<string> {
  const rows: string[][] = [];
  for (const file of await resultFiles(otherResults)) {
    for (const result of Object.values(await readResults<Record<string, IterationResult>>(file))) {
      rows.push([
        result.name,
        shortAdapter(result.adapter),
        threeDigits(result.median),
        result.imagesPerSecond.toFixed(0),
        threeDigits(total(result.kernels.map(({ milliseconds }) => milliseconds))),
        threeDigits(result.host),
        shareOf(result, /^(conv2d|winograd)/),
        shareOf(result, /^norm/),
        String(result.counts.dispatches),
        String(result.counts.submits),
        `${(total(Object.values(result.memory)) / 1e6).toFixed(0)} MB`,
      ]);
    }
  }
  const header = [
    ...["", "adapter", "ms", "images/s", "kernels", "host", "convolutions", "norms"],
    ...["dispatches", "submissions", "memory"],
  ];
  return markdownTable(header, rows, (column) => column > 1);
}
