import type { Gpu } from "../gpu/gpu.ts";
import { Context } from "../tensor/context.ts";
import { conv2dChooser, type Conv2dTable } from "../tensor/operations/conv2d/table.ts";
import { readTuning, readTuningIfThere, tuningPath } from "../train/tuning_file.ts";
import { print, projectPath } from "./command.ts";

/** The option that names a table of convolution kernels. */
export const kernelOption = { kernels: { type: "string" } } as const;

/** Its part of a command's help. */
export const kernelHelp = `
  --kernels FILE      the choice of convolution kernels, by ./run tune (default: the project's tuning/<adapter>.json
                      if it exists)
`.slice(1, -1);

/** Where an adapter's table is unless a file is named: in the project, so that it is found from every folder. */
export const defaultTable = (gpu: Gpu): string => projectPath(tuningPath(gpu));

/**
 * The table in a file, or the one that `./run tune` left, which a line announces.
 * @param say where the line goes
 * @throws {TuningError} if it cannot be used on this adapter.
 */
export async function kernelTable(
  gpu: Gpu,
  path: string | undefined,
  say: (line: string) => void = print,
): Promise<Conv2dTable | undefined> {
  if (path !== undefined) return await readTuning(path, gpu);
  const usual = defaultTable(gpu);
  const found = await readTuningIfThere(usual, gpu);
  if (found) say(`convolution kernels as chosen in ${usual}`);
  return found;
}

/** A context with the kernels of a table, or with the default ones. */
export function contextWith(gpu: Gpu, table: Conv2dTable | undefined): Context {
  return new Context(gpu, { choose: table && conv2dChooser(table) });
}
