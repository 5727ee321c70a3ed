import { fileURLToPath } from "node:url";

/**
 * Folder with data sets that are not the project's to redistribute: the variable SADA_JEM_DATA, or else a folder beside the
 * project. Tests that find none there are left out, and say so.
 */
export const realData = Deno.env.get("SADA_JEM_DATA") ??
  fileURLToPath(new URL("../../shared/data", import.meta.url));

/** Whether there is such a file or folder. */
export async function isPresent(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
