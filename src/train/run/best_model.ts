import { readRegularFile, readShortText } from "../../data/regular_file.ts";
import { SadaJemError } from "../../errors.ts";
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { bestPath, readModelIfWhole } from "../checkpoint/folder.ts";
import { jsonText, type Patience, persistently, removeIfThere, writeAtomically } from "./files.ts";
import { type Best, bestOf } from "../checkpoint/run_record.ts";

/**
 * The best model of a run on the held-out images: `best.safetensors`, and `best.json`, which says where it comes from.
 * Checkpoints name their best model, which stays beside them while one does, so that a run can continue from any of
 * them.
 */
export class BestModel {
  readonly #run: string;
  readonly #model: string;
  readonly #description: string;
  readonly #patience: Readonly<Pick<Patience, "limit">>;
  #noted: Best | undefined;

  /**
   * @param run the run's folder
   * @param patience how long to keep trying to write, if not as long as usual
   */
  constructor(run: string, patience: Readonly<Pick<Patience, "limit">> = {}) {
    this.#patience = patience;
    this.#run = run;
    this.#model = `${run}/best.safetensors`;
    this.#description = `${run}/best.json`;
  }

  /** Where the best model so far comes from. */
  get noted(): Best | undefined {
    return this.#noted;
  }

  /**
   * Keeps a better model.
   * @param tell takes a line if the disk is full or the folder gone
   * @throws {StorageError} after ten minutes, or the patience given, in which it could not be written.
   */
  async write(best: Best, model: Uint8Array, tell: (line: string) => void): Promise<void> {
    const files: [string, Uint8Array | string][] = [
      [bestPath(this.#run, best), model],
      [this.#model, model],
      [this.#description, jsonText(best)],
    ];
    for (const [path, contents] of files) {
      await persistently(() => writeAtomically(path, contents), { tell, ...this.#patience });
    }
    this.#noted = best;
  }

  /**
   * Restores the best model of a checkpoint.
   * @param note takes a line if it is lost
   */
  async rewind({ iteration, record, verified }: Checkpoint, note: (line: string) => void): Promise<void> {
    this.#noted = verified ? record?.best : await this.#describedBefore(iteration);
    if (this.#noted && !await this.#restore(this.#noted)) {
      note(
        `warning: the best model so far, of iteration ${this.#noted.iteration}, is lost (it is not in ` +
          `${this.#model}); the best one from here on takes its place`,
      );
      this.#noted = undefined;
    }
    if (this.#noted) return await writeAtomically(this.#description, jsonText(this.#noted));
    for (const path of [this.#model, this.#description]) await removeIfThere(path);
  }

  /** The note of a run of an earlier version, whose checkpoints do not name their best model. */
  async #describedBefore(iteration: number): Promise<Best | undefined> {
    try {
      const best = bestOf(JSON.parse(await readShortText(this.#description)));
      return best.iteration <= iteration ? best : undefined;
    } catch (error) {
      const isAbsent = error instanceof Deno.errors.NotFound;
      if (isAbsent || error instanceof SyntaxError || error instanceof SadaJemError) return undefined;
      throw error;
    }
  }

  async #restore(best: Best): Promise<boolean> {
    if ((await readModelIfWhole(this.#model))?.iteration === best.iteration) return true;
    const kept = bestPath(this.#run, best);
    if (!await readModelIfWhole(kept)) return false;
    await writeAtomically(this.#model, await readRegularFile(kept, Infinity));
    return true;
  }
}
