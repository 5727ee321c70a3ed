import { projectFolder } from "../../scripts/tasks.ts";
import type { CompiledKernel } from "./compiler.ts";

/** Where the results are kept, relative to the project. */
export const resultsPath = "bench/results/isa.json";

/** A compiler's kernels, with a name for each column. */
export interface KernelTable {
  readonly compiler: string;
  readonly columns: readonly string[];
  readonly kernels: readonly (readonly (string | number | boolean)[])[];
}

/** Kernels as rows, which take a third of the space of objects. */
export function kernelTable(compiler: string, kernels: readonly CompiledKernel[]): KernelTable {
  return {
    compiler,
    columns: Object.keys(kernels[0] ?? {}),
    kernels: kernels.map((kernel) => Object.values(kernel)),
  };
}

/** Writes results, one line for each kernel, so that a comparison of two versions shows which ones changed. */
export async function saveResults(
  results: Readonly<Record<string, Record<string, KernelTable>>>,
): Promise<void> {
  const text = JSON.stringify(results, undefined, 2)
    .replaceAll(
      /\[[^[\]{}]*\]/g,
      (row) => row.replaceAll(/\s*\n\s*/g, " ").replace("[ ", "[").replace(" ]", "]"),
    );
  await Deno.writeTextFile(`${projectFolder}${resultsPath}`, `${text}\n`);
}
