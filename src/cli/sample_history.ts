import { exists } from "../data/files.ts";
import { readRegularFile } from "../data/regular_file.ts";
import type { HistoryPicture } from "../report/question.ts";

/** Most pictures in an animation. */
const mostPictures = 60;
/** Most bytes of each: a hundred images of 64×64 pixels in three colours have 1.2 MB uncompressed. */
const mostPictureBytes = 2 ** 22;

/** The folder of a model's run, if it belongs to one: the model itself, or the folder it is in. */
export async function runFolder(model: string): Promise<string> {
  const isFolder = await exists(model) && (await Deno.stat(model)).isDirectory;
  return isFolder ? model : model.replace(/[^/]*$/, "") || ".";
}

/**
 * The pictures of the replay buffer that a run has left, in order; if there are many, a selection over the whole run.
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
