/** Training from a run's current state, and what survives when the GPU is lost and opened again. */

import type { Dataset } from "../../data/dataset.ts";
import { describeData } from "../../data/description.ts";
import type { Communicator } from "../../distributed/communicator.ts";
import { shareValue } from "../../distributed/share.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import type { Conv2dTable } from "../../tensor/operations/conv2d/table.ts";
import { type Checkpoint, restoreTrainer } from "../../train/checkpoint/checkpoint.ts";
import { checkpointNames } from "../../train/checkpoint/folder.ts";
import type { Configuration } from "../../train/configuration.ts";
import { beginWith } from "../../train/origin.ts";
import { silentListener } from "../../train/run_listener.ts";
import { RunDirectory } from "../../train/run/run_directory.ts";
import { Trainer } from "../../train/trainer.ts";
import { type Summary, TrainingRun } from "../../train/training_run.ts";
import { print } from "../command.ts";
import { compilePlan } from "../compiling.ts";
import { contextWith, kernelTable } from "../kernels.ts";
import type { LiveLine } from "../live_line.ts";
import { interruption } from "../signals.ts";
import type { Beginning } from "./origin.ts";
import { headline, takenLine, type TrainingLine } from "./output.ts";

/** A run, and what its process knows about it. */
export interface Session {
  readonly communicator: Communicator;
  /** The file that chooses convolution kernels for a new run, if one is named. */
  readonly kernels: string | undefined;
  /** Where the run is kept. */
  readonly path: string;
  readonly configuration: Configuration;
  readonly dataset: Dataset;
  readonly line: LiveLine;
  readonly listener: TrainingLine;
  /** Disposes of the run directory. */
  readonly stack: DisposableStack;
  /** Undefined before the first training, and in the processes of a job that write nothing. */
  directory: RunDirectory | undefined;
  /** Where to continue. */
  checkpoint: Checkpoint | undefined;
  /** The model that a new run starts from, if there is one. */
  readonly beginning: Beginning | undefined;
  interrupted?: AbortSignal;
  /** When training started, and the iteration to stop at. */
  limits?: { readonly began: number; readonly last: number };
}

/** The result of training so far. */
export interface Reached {
  /** Of a complete run; only rank 0 has it. */
  readonly summary: Summary | undefined;
  readonly iteration: number;
}

/** Trains on a GPU, from the last checkpoint on if the previous GPU was lost. */
export async function trainOn(gpu: Gpu, session: Session, stopAfter = Infinity): Promise<Reached> {
  const { communicator, configuration, dataset, line } = session;
  const kernels = await kernelsOf(gpu, session);
  const trainer = new Trainer(contextWith(gpu, kernels), configuration, dataset, communicator);
  await begin(trainer, session);
  // Only now, so that wrong options and data leave no run behind.
  const directory = communicator.rank === 0 ? await directoryOf(session, kernels) : undefined;
  if (session.limits && directory) {
    session.checkpoint = await checkpointIfAny(directory, configuration, line);
  }
  if (session.checkpoint) restoreTrainer(trainer, session.checkpoint);
  if (directory && communicator.size > 1) directory.giveUpAtOnce();
  if (directory) await prepare(directory, gpu, session);
  if (!session.limits) print(headline(gpu, trainer, configuration, dataset.train.count));

  const signal = session.interrupted ??= await interruption((text) => line.note(text));
  const { began, last } = session.limits ??= {
    began: performance.now(),
    last: trainer.iteration + stopAfter,
  };
  await compilePlan(gpu, trainer.record(), line);
  const listener = directory ? session.listener : silentListener;
  const run = new TrainingRun(trainer, configuration, dataset, directory, listener);
  const summary = await run.run({ stopAfter: last - trainer.iteration, signal, began });
  return { summary, iteration: trainer.iteration };
}

/** Gives the trainer of a new run the model that it starts from, and says what came from the file. */
async function begin(
  trainer: Trainer,
  { checkpoint, beginning, configuration, dataset, limits }: Session,
): Promise<void> {
  if (!beginning || checkpoint) return;
  const taken = await beginWith(trainer, beginning.model, dataset);
  if (!limits) print(takenLine(configuration, beginning, taken));
}

/** The kernel choices of a resumed run, or those for a new run; rank 0's on all ranks. */
async function kernelsOf(
  gpu: Gpu,
  { communicator, directory, kernels, checkpoint }: Session,
): Promise<Conv2dTable | undefined> {
  const isNew = !directory && !checkpoint;
  const own = communicator.rank === 0
    ? await (isNew ? kernelTable(gpu, kernels) : directory!.kernels(gpu))
    : undefined;
  return await shareValue(communicator, own ?? null) ?? undefined;
}

async function directoryOf(session: Session, kernels: Conv2dTable | undefined): Promise<RunDirectory> {
  const { path, configuration, stack } = session;
  return session.directory ??= stack.use(await RunDirectory.create(path, configuration, kernels));
}

/** Restores the files of a run to where training continues, and says what was different. */
async function prepare(directory: RunDirectory, gpu: Gpu, session: Session): Promise<void> {
  const { configuration, dataset, line, checkpoint } = session;
  for (const difference of await directory.noteData(describeData(dataset))) {
    line.note(`warning: the run began with other data: another ${difference}`);
  }
  if (checkpoint) {
    await directory.writeJson("config.json", configuration);
    await directory.rewind(checkpoint, (message) => line.note(message));
    line.note(`resuming ${directory.path} at iteration ${checkpoint.iteration}`);
  } else {
    await directory.metrics.rewind(0, undefined);
  }
  const before = await directory.noteAdapter(gpu.adapterName);
  if (before !== undefined) line.note(`warning: ${otherBits(before, gpu.adapterName)}`);
}

/** The newest complete checkpoint; undefined if the run has not reached its first. */
async function checkpointIfAny(
  directory: RunDirectory,
  configuration: Configuration,
  line: LiveLine,
): Promise<Checkpoint | undefined> {
  if ((await checkpointNames(directory.path)).length === 0) return undefined;
  return await directory.resumableCheckpoint(configuration, (message) => line.note(message));
}

function otherBits(before: string, now: string): string {
  return `this run was computed on ${before} so far, and goes on with ${now}: the result is not the same bit for bit`;
}
