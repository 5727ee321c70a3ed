import { dirname } from "node:path";
import { exists } from "../data/files.ts";
import { readShortText } from "../data/regular_file.ts";
import { TuningError } from "../errors.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { type Conv2dTable, parseConv2dTable } from "../tensor/operations/conv2d/table.ts";
import { writeAtomically } from "./run/files.ts";

/** Folder of the tables that are used automatically. */
const folder = "tuning";

/** Where an adapter's table is in the project unless a file is named. */
export function tuningPath({ adapterName }: Gpu): string {
  const name = adapterName.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").replaceAll(/^-|-$/g, "");
  return `${folder}/${name || "adapter"}.json`;
}

/** The folder of a table, or of the tables that are used automatically. */
export function tuningFolder(path?: string): string {
  return path === undefined ? folder : dirname(path);
}

/**
 * Reads the choices of convolution kernels from a file.
 * @throws {TuningError} if it cannot be used on this adapter; see {@link parseConv2dTable}.
 */
export async function readTuning(path: string, gpu: Gpu): Promise<Conv2dTable> {
  const text = await readShortText(path);
  try {
    return parseConv2dTable(text, gpu);
  } catch (error) {
    if (error instanceof TuningError) throw new TuningError(`${path}: ${error.message}`);
    throw error;
  }
}

/** {@link readTuning}, or undefined if there is no such file. */
export async function readTuningIfThere(path: string, gpu: Gpu): Promise<Conv2dTable | undefined> {
  return await exists(path) ? await readTuning(path, gpu) : undefined;
}

/** Writes a table, and makes its folder. */
export async function writeTuning(path: string, table: Conv2dTable): Promise<void> {
  await Deno.mkdir(tuningFolder(path), { recursive: true });
  await writeAtomically(path, `${JSON.stringify(table, undefined, 2)}\n`);
}
