/** The benches' results that the repository has. */

import { projectFolder } from "../tasks.ts";

const folder = `${projectFolder}bench/results/`;

/** Reads a file of results. */
export async function readResults<Contents>(file: string): Promise<Contents> {
  return JSON.parse(await Deno.readTextFile(folder + file));
}

/** The names of the files whose name the pattern fits, in alphabetical order. */
export async function resultFiles(pattern: RegExp): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (pattern.test(name)) names.push(name);
  }
  return names.sort();
}

/** An adapter's name in a table: lavapipe's by its compiler, which tells the versions apart. */
export function shortAdapter(name: string): string {
  return /llvmpipe \((LLVM \d+)/.exec(name)?.[1] ?? name;
}

/** Milliseconds to three digits. */
export function threeDigits(value: number): string {
  if (value >= 999.5) return Math.round(value).toLocaleString("en");
  return value.toFixed(value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2);
}

/** The least and the largest of some values as text: `6.3 to 16.7`, one where they are written alike, `–` of none. */
export function range(values: readonly number[], write: (value: number) => string): string {
  if (values.length === 0) return "–";
  const [least, largest] = [Math.min(...values), Math.max(...values)].map(write);
  return least === largest ? least! : `${least} to ${largest}`;
}
