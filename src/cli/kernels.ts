import type { Gpu } from "../gpu/gpu.ts";
import { Context } from "../tensor/context.ts";
import { conv2dChooser, type Conv2dTable } from "../tensor/operations/conv2d/table.ts";
import { readTuning, readTuningIfThere, tuningPath } from "../train/tuning_file.ts";
import { print } from "./command.ts";

/** The option that names a table of convolution kernels. */
export const kernelOption = { kernels: { type: "string" } } as const;

/** Its part of a command's help. */
export const kernelHelp = `
  --kernels FILE      the choice of convolution kernels, by deno task tune (default: tuning/<adapter>.json if it exists)
`.trim();

/**
 * The table that a file holds, or the one that lies where `deno task tune` leaves it, which is said in a line.
 * @param say where the line goes
 * @throws {TuningError} if it cannot be used on this adapter.
 */
export async function kernelTable(
  gpu: Gpu,
  path: string | undefined,
  say: (line: string) => void = print,
): Promise<Conv2dTable | undefined> {
  if (path !== undefined) return await readTuning(path, gpu);
  const found = await readTuningIfThere(tuningPath(gpu), gpu);
  if (found) say(`convolution kernels as chosen in ${tuningPath(gpu)}`);
  return found;
}

/** A context with the kernels of a table, or the default ones. */
export function contextWith(gpu: Gpu, table: Conv2dTable | undefined): Context {
  return new Context(gpu, { choose: table && conv2dChooser(table) });
}
