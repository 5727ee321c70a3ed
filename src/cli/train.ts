import { fitDataset } from "../data/fit.ts";
import { loadDataset } from "../data/load.ts";
import { missingClasses } from "../data/subsets.ts";
import { type Communicator, oneProcess } from "../distributed/communicator.ts";
import { isDawn } from "../gpu/backend.ts";
import { checkpointNames } from "../train/checkpoint/folder.ts";
import { requireFit } from "../train/fit.ts";
import { datasetFor } from "../train/origin.ts";
import { acrossLosses } from "../train/recovery/reopen.ts";
import { openAdapter } from "./adapter.ts";
import { type Command, execute, exitStatus, print, wholeNumber } from "./command.ts";
import { configurationHelp } from "./configuration_help.ts";
import { withGpuOption } from "./gpu_option.ts";
import { LiveLine } from "./live_line.ts";
import { leavingCurves } from "./training/curves.ts";
import { help, parse } from "./training/options.ts";
import { type Session, trainOn } from "./training/session.ts";
import { startOf } from "./training/start.ts";
import { printSummary, TrainingLine } from "./training/output.ts";

/** The command for training. In a job all processes run it. */
export function trainCommand(communicator: Communicator): Command {
  return { help, helpOn: configurationHelp, run: (args) => train(communicator, args) };
}

async function train(communicator: Communicator, args: readonly string[]): Promise<number> {
  const values = parse(args);
  const stopAfter = wholeNumber("--stop-after", values["stop-after"], 1);
  const line = new LiveLine();
  const { path, configuration, checkpoint, directory, beginning } = await startOf(
    communicator,
    values,
    (message) => line.note(message),
  );
  const gpu = await openAdapter(configuration.products);
  requireFit(gpu, configuration);
  const loaded = await loadDataset({
    name: configuration.dataset,
    folder: configuration.dataFolder,
    limit: configuration.dataLimit,
    imageSize: configuration.imageSize,
    testShare: configuration.testShare,
    found: (summary) => print(`${configuration.dataset}: ${summary}`),
    progress: (done, total) => line.update(`reading pictures: ${done}/${total}`),
  });
  line.clear();
  const dataset = checkpoint
    ? fitDataset(loaded, checkpoint.images)
    : beginning
    ? datasetFor(loaded, beginning.model.images)
    : loaded;
  for (const warning of missingClasses(dataset)) line.note(`warning: ${warning}`);
  using stack = new DisposableStack();
  if (directory) stack.use(directory);
  const listener = new TrainingLine(line);
  const { kernels } = values;
  const run = { path, configuration, dataset, directory, checkpoint, beginning };
  const session: Session = { communicator, kernels, line, listener, stack, ...run };
  // The others of a job cannot go back with a process that has lost its GPU, so the job must be resumed.
  const trained = () =>
    communicator.size > 1 ? trainOn(gpu, session, stopAfter) : acrossLosses({
      gpu,
      open: () => openAdapter(configuration.products),
      work: (gpu) => trainOn(gpu, session, stopAfter),
      reached: () => listener.reached,
      tell: (text) => line.note(text),
      pause: (milliseconds) => pauseUnless(session.interrupted, milliseconds),
    });
  const { summary, iteration } = await leavingCurves(session, trained);
  line.finish();
  if (summary) printSummary(summary, path);
  else if (communicator.rank === 0) {
    print(await stopped(iteration, path, isDawn(gpu.backend) ? "train:dawn" : "train"));
  }
  // A launcher takes any other status for a failure of the job.
  const isInterrupted = communicator.size === 1 && session.interrupted!.aborted;
  return isInterrupted ? exitStatus.interrupted : exitStatus.success;
}

/** Waits, but no longer than until a signal aborts. */
function pauseUnless(signal: AbortSignal | undefined, milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** The message about a run that was stopped before its end. */
async function stopped(iteration: number, path: string, task: string): Promise<string> {
  const beginning = (await checkpointNames(path)).length === 0;
  return beginning
    ? `stopped before the first iteration, with nothing to save; start ${path} again as before`
    : `stopped at iteration ${iteration}; go on with: ./run ${task} --resume --run-dir ${path}`;
}

if (import.meta.main) await execute(withGpuOption("train", trainCommand(oneProcess)));
