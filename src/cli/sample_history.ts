import { exists } from "../data/files.ts";
import { readRegularFile } from "../data/regular_file.ts";
import type { HistoryPicture } from "../report/question.ts";

/** Pictures that an animation has at most. */
const mostPictures = 60;
/** Bytes of each: a hundred images of 64×64 pixels in three colours have 1.2 MB before they are packed. */
const mostPictureBytes = 2 ** 22;

/** The folder of the run that a model belongs to, if it belongs to any: the model itself, or where it lies. */
export async function runFolder(model: string): Promise<string> {
  const isFolder = await exists(model) && (await Deno.stat(model)).isDirectory;
  return isFolder ? model : model.replace(/[^/]*$/, "") || ".";
}

/**
 * The pictures of the replay buffer that a run has left, in their order; of many, some from all over.
 * @param model the run directory, or a file in it
 */
export async function sampleHistory(model: string | undefined): Promise<HistoryPicture[]> {
  if (model === undefined) return [];
  const folder = `${await runFolder(model)}/samples`;
  if (!await exists(folder)) return [];
  const iterations: { name: string; iteration: number }[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (/^\d+\.png$/.test(name)) iterations.push({ name, iteration: parseInt(name) });
  }
  iterations.sort((a, b) => a.iteration - b.iteration);
  const count = Math.min(mostPictures, iterations.length);
  const last = iterations.length - 1;
  const chosen = Array.from(
    { length: count },
    (_, i) => iterations[Math.round(i * last / Math.max(1, count - 1))]!,
  );
  return await Promise.all(chosen.map(async ({ name, iteration }) => ({
    iteration,
    png: await readRegularFile(`${folder}/${name}`, mostPictureBytes),
  })));
}
