/** The table of the published training's memory, from the results of `./run bench published_memory`. */

import type { MemoryResults } from "../../bench/lib/published_memory.ts";
import { markdownTable } from "../markdown.ts";
import { readResults } from "./results.ts";

/** A row for each part that takes any memory; parts of the same size share one. */
export async function memorySection(): Promise<string> {
  const { float32, float16 } = await readResults<MemoryResults>("published-memory.json");
  const megabytes = (bytes: number) => Math.round(bytes / 1e6).toLocaleString("en");
  const total = (parts: MemoryResults["float32"]) => Object.values(parts).reduce((sum, bytes) => sum + bytes);
  const parts = (Object.keys(float32) as (keyof typeof float32)[]).filter((part) => float32[part] > 0);
  const sizes = (part: keyof typeof float32) => [megabytes(float32[part]), megabytes(float16[part])];
  const alike = [...Map.groupBy(parts, (part) => String(sizes(part))).values()];
  return markdownTable(
    ["MB", "float32", "float16 activations"],
    [
      ...alike.map((same) => [
        same.length > 1 ? `each of ${same.join(", ")}` : same[0]!,
        ...sizes(same[0]!),
      ]),
      ["all", megabytes(total(float32)), megabytes(total(float16))],
    ],
    (column) => column > 0,
  );
}
