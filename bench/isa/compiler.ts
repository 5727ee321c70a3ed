import type { GpuKind } from "../../src/kernels/gpu_kind.ts";
import type { Captured } from "./capture/capture.ts";
import type { Tools } from "./tools.ts";

/** What a compiler made of a kernel: its name, its dispatches in an iteration, and numbers. */
export interface CompiledKernel {
  readonly kernel: string;
  readonly dispatches: number;
}

/** What a compiler made of captured pipelines. */
export interface Compiled {
  /** Name and version of the compiler. */
  readonly compiler: string;
  readonly kernels: readonly CompiledKernel[];
  /** The kernels for people to read. */
  readonly table: string;
}

/** What {@link Compiler} needs. */
export interface CompilerInput {
  readonly tools: Tools;
  readonly captured: Captured;
  /** Where the pipelines were captured. */
  readonly folder: string;
  /** Where assembly goes. */
  readonly out: string;
}

/** A compiler for one GPU. */
export interface Compiler {
  /** The GPU's name as an argument. */
  readonly gpu: string;
  /** The name with the maker's and the architecture's. */
  readonly title: string;
  /** Whose tiles the GPU gets; those of most GPUs if it is of no such kind. */
  readonly kind: GpuKind | undefined;
  /** Compiles, or says in a line why it cannot. */
  readonly compile: (input: CompilerInput) => Promise<Compiled | string>;
}

/** Kernels that differ in nothing but their dispatches, as one. */
export function merged<Kernel extends CompiledKernel>(kernels: readonly Kernel[]): Kernel[] {
  const byContents = new Map<string, Kernel>();
  for (const kernel of kernels) {
    const key = JSON.stringify({ ...kernel, dispatches: 0 });
    const dispatches = kernel.dispatches + (byContents.get(key)?.dispatches ?? 0);
    byContents.set(key, { ...kernel, dispatches });
  }
  return [...byContents.values()];
}

/** A share as a whole number of percent. */
export function percent(share: number): number {
  return Math.round(100 * share);
}

/**
 * Cells of a table for the counts of a loop: instructions, multiply-adds, their share, and instructions for each.
 * @param among what the share is of; by default all instructions
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
