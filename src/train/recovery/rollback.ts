import { DivergenceError } from "../../errors.ts";
import { shareValue } from "../../distributed/share.ts";
import { type Checkpoint, restoreTrainer } from "../checkpoint/checkpoint.ts";
import { shareCheckpoint } from "../checkpoint/share.ts";
import { settledAttempts } from "./changes.ts";
import type { Configuration } from "../configuration.ts";
import type { Sign } from "./health.ts";
import { type Attempt, decide, noRecovery } from "./recovery.ts";
import { newestCheckpoint } from "../checkpoint/folder.ts";
import type { RunDirectory } from "../run/run_directory.ts";
import type { Trainer } from "../trainer.ts";

/** A run that is taken back. */
export interface DivergingRun {
  readonly trainer: Trainer;
  /** Undefined in processes of a job that write nothing. */
  readonly directory: RunDirectory | undefined;
  readonly configuration: Configuration;
  /** Saves the trainer's state as a checkpoint, with all processes. */
  readonly save: () => Promise<void>;
  /** Takes a line about anything out of order. */
  readonly note: (line: string) => void;
}

/** How a run continues: from a checkpoint, or not at all. */
type Way = { readonly attempt: Attempt } | { readonly refusal: string };

/**
 * Takes a run back to a checkpoint from before the trouble, if {@link decide} finds one. The attempt is written into
 * that checkpoint before the later ones are deleted, so the run resumes to the same state wherever this is interrupted.
 * The process that has the directory decides for the whole job.
 * @throws {DivergenceError} if the run must stop; its files stay as they are.
 */
export async function rollBack(run: DivergingRun, sign: Sign): Promise<Attempt> {
  const { trainer, directory } = run;
  const { communicator, recovery: { attempts } } = trainer;
  const found = directory && await wayBack(run, directory, sign);
  const way = await shareValue(communicator, found?.way);
  if ("refusal" in way) throw new DivergenceError(way.refusal);
  const checkpoint = await shareCheckpoint(communicator, found?.checkpoint);
  const { attempt } = way;
  const { health } = checkpoint.recovery ?? noRecovery;
  restoreTrainer(trainer, { ...checkpoint, recovery: { attempts: [...attempts, attempt], health } });
  await directory?.forgetAfter(checkpoint, run.note);
  await run.save();
  await directory?.discardCheckpointsAfter(attempt.from);
  return attempt;
}

async function wayBack(
  { trainer, configuration, note }: DivergingRun,
  directory: RunDirectory,
  sign: Sign,
): Promise<{ way: Way; checkpoint?: Checkpoint }> {
  const { recover, checkpointEvery } = configuration;
  // Not those that an interruption left, because a run takes the same way without one.
  const isRegular = (iteration: number) =>
    checkpointEvery > 0 ? iteration % checkpointEvery === 0 : iteration === 0;
  const checkpoints = (await directory.checkpoints()).filter(isRegular);
  const counted = trainer.recovery.attempts.slice(settledAttempts(configuration));
  const decision = decide(sign, counted, recover, checkpoints, checkpointEvery);
  if (decision.kind === "stop") {
    const refusal = `training diverged at iteration ${sign.iteration} (${sign.seen}); ${decision.because}`;
    return { way: { refusal } };
  }
  const skipped = (message: string) => note(`warning: ${message}`);
  const checkpoint = await newestCheckpoint(directory.path, skipped, decision.attempt.from);
  return { way: { attempt: { ...decision.attempt, from: checkpoint.iteration } }, checkpoint };
}
