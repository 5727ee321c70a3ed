import { DivergenceError } from "../../errors.ts";
import { restoreTrainer } from "../checkpoint/checkpoint.ts";
import { settledAttempts } from "./changes.ts";
import type { Configuration } from "../configuration.ts";
import type { Sign } from "./health.ts";
import { type Attempt, decide, noRecovery } from "./recovery.ts";
import { newestCheckpoint } from "../checkpoint/folder.ts";
import type { RunDirectory } from "../run/run_directory.ts";
import type { Trainer } from "../trainer.ts";

/** A run that is to be taken back. */
export interface DivergingRun {
  readonly trainer: Trainer;
  readonly directory: RunDirectory;
  readonly configuration: Configuration;
  /** Saves the trainer's state as a checkpoint. */
  readonly save: () => Promise<void>;
  /** Takes a line about what is not in order. */
  readonly note: (line: string) => void;
}

/**
 * Takes a run back to a checkpoint from before the trouble, if {@link decide} finds one. The attempt is written into that
 * checkpoint before the later ones are deleted: wherever this is cut off, the run resumes to the same.
 * @throws {DivergenceError} if the run is to stop; its files are left as they are.
 */
export async function rollBack(run: DivergingRun, sign: Sign): Promise<Attempt> {
  const { trainer, directory, configuration } = run;
  const { recover, checkpointEvery } = configuration;
  const { attempts } = trainer.recovery;
  // Not those that an interruption left: a run goes the same way without it.
  const isRegular = (iteration: number) =>
    checkpointEvery > 0 ? iteration % checkpointEvery === 0 : iteration === 0;
  const checkpoints = (await directory.checkpoints()).filter(isRegular);
  const counted = attempts.slice(settledAttempts(configuration));
  const decision = decide(sign, counted, recover, checkpoints, checkpointEvery);
  if (decision.kind === "stop") {
    throw new DivergenceError(
      `training diverged at iteration ${sign.iteration} (${sign.seen}); ${decision.because}`,
    );
  }
  const skipped = (message: string) => run.note(`warning: ${message}`);
  const checkpoint = await newestCheckpoint(directory.path, skipped, decision.attempt.from);
  const attempt = { ...decision.attempt, from: checkpoint.iteration };
  const { health } = checkpoint.recovery ?? noRecovery;
  restoreTrainer(trainer, { ...checkpoint, recovery: { attempts: [...attempts, attempt], health } });
  await directory.forgetAfter(checkpoint, run.note);
  await run.save();
  await directory.discardCheckpointsAfter(attempt.from);
  return attempt;
}
