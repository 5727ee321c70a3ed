import type { GpuKind } from "../../src/kernels/gpu_kind.ts";
import type { Captured } from "./capture/capture.ts";
import type { Tools } from "./tools.ts";

/** A compiler's result for a kernel: its name, its dispatches in an iteration, and numbers. */
export interface CompiledKernel {
  readonly kernel: string;
  readonly dispatches: number;
}

/** A compiler's result for captured pipelines. */
export interface Compiled {
  /** Name and version of the compiler. */
  readonly compiler: string;
  readonly kernels: readonly CompiledKernel[];
  /** The kernels in a form for reading. */
  readonly table: string;
}

/** What {@link Compiler} needs. */
export interface CompilerInput {
  readonly tools: Tools;
  readonly captured: Captured;
  /** Folder with the captured pipelines. */
  readonly folder: string;
  /** Folder for assembly. */
  readonly out: string;
}

/** A compiler for one GPU. */
export interface Compiler {
  /** The GPU's name as an argument. */
  readonly gpu: string;
  /** The name with the maker's and the architecture's. */
  readonly title: string;
  /** The kind of GPU whose tiles it gets; those of most GPUs if it is of no such kind. */
  readonly kind: GpuKind | undefined;
  /** Compiles, or says in one line why it cannot. */
  readonly compile: (input: CompilerInput) => Promise<Compiled | string>;
}

/** Merges kernels that differ only in their dispatches. */
export function merged<Kernel extends CompiledKernel>(kernels: readonly Kernel[]): Kernel[] {
  const byContents = new Map<string, Kernel>();
  for (const kernel of kernels) {
    const key = JSON.stringify({ ...kernel, dispatches: 0 });
    const dispatches = kernel.dispatches + (byContents.get(key)?.dispatches ?? 0);
    byContents.set(key, { ...kernel, dispatches });
  }
  return [...byContents.values()];
}

/** A share as a whole number of per cent. */
export function percent(share: number): number {
  return Math.round(100 * share);
}

/**
 * Cells of a table for the counts of a loop: instructions, multiply-adds, their share, and instructions for each.
 * @param among what the share is relative to; by default all instructions
 */
export function mixCells(
  { instructions, multiplyAdds }: { readonly instructions: number; readonly multiplyAdds: number },
  among: number = instructions,
): string[] {
  const ratios = multiplyAdds === 0
    ? ["", ""]
    : [`${percent(multiplyAdds / among)} %`, (instructions / multiplyAdds).toFixed(2)];
  return [String(instructions), String(multiplyAdds), ...ratios];
}
