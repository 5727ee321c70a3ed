import { resolve } from "node:path";
import { parseArgs } from "node:util";
import type { Dataset } from "../data/dataset.ts";
import { describeData } from "../data/description.ts";
import { fitDataset } from "../data/fit.ts";
import { loadDataset } from "../data/load.ts";
import { missingClasses } from "../data/subsets.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { type Checkpoint, restoreTrainer } from "../train/checkpoint/checkpoint.ts";
import { changedConfiguration } from "../train/recovery/changes.ts";
import { applySetting, type Configuration, parseConfiguration } from "../train/configuration.ts";
import { requireFit } from "../train/fit.ts";
import { presetNames } from "../train/presets.ts";
import { checkpointNames } from "../train/checkpoint/folder.ts";
import { acrossLosses } from "../train/recovery/reopen.ts";
import { RunDirectory } from "../train/run/run_directory.ts";
import { Trainer } from "../train/trainer.ts";
import { type Summary, TrainingRun } from "../train/training_run.ts";
import { openAdapter } from "./adapter.ts";
import { type Command, execute, exitStatus, print, UsageError, wholeNumber } from "./command.ts";
import { chosenConfiguration, configurationOptions, defaultPreset } from "./configuration.ts";
import { compilePlan } from "./compiling.ts";
import { contextWith, kernelHelp, kernelOption, kernelTable } from "./kernels.ts";
import { LiveLine } from "./live_line.ts";
import { writeOnly } from "./permissions.ts";
import { newestRun, newRunPath } from "./runs.ts";
import { interruption } from "./signals.ts";
import { headline, printSummary, TrainingLine } from "./training_output.ts";

const help = `
Train a SADA-JEM: one Wide ResNet that classifies and generates.

Usage: deno task train [options]

  --preset NAME       start from a preset (default: digits, which comes with the project)
  --config FILE       start from a JSON file of options, for example a run's config.json
  --set KEY=VALUE     change one option of the configuration; may be given repeatedly
  --seed N            seed of everything random
  --iterations N      length of the run
  --optimizer NAME    sgd or adam, the optimizer inside SAM
  --run-dir DIR       where the run is kept (default: runs/<preset>-<time>)
  --stop-after N      save and stop after N more iterations
  --resume            continue the run in --run-dir, or else the newest one in runs/; with --set, --seed, --iterations
                      from here on, as far as its data, model, batches and shards stay the same
${kernelHelp}
  --ignore-hangup     go on when the terminal is closed
  --debug             show the stack trace of an error
  --help              show this text

Presets: ${wrap(presetNames(), 110)}.
All options that --config and --set know, with the published values: src/train/configuration.ts.
Ctrl-C saves and exits with status 130, a second one ends at once; --resume then continues as if nothing had happened,
bit for bit: a run keeps the kernels that it was started with. SIGTERM, SIGHUP (a closed terminal), SIGUSR2 and
SIGXCPU save and exit too; for Slurm: --signal=USR2@120. Not SIGUSR1: Deno opens its debugger on a
port of this computer.
nohup ./run train goes on without its terminal, as --ignore-hangup does; Deno by itself takes no notice of nohup.

Examples:
  deno task train
  deno task train --preset digits-softmax --seed 3
  deno task data cifar10 && deno task train --preset cifar10 --run-dir runs/cifar10
  deno task train --preset svhn-jempp --set dataFolder=/data/svhn
  deno task train --preset cifar10 --set dataset=images --set dataFolder=pictures --set imageSize=64
  deno task train --set rho=0 --set augmentLikelihood=true --iterations 300
  deno task train --resume --run-dir runs/cifar10
  deno task train --resume --run-dir runs/cifar10 --set learningRate=0.02 --seed 2
`;

/** Words separated by commas, in lines of limited length. */
function wrap(words: readonly string[], width: number): string {
  const lines = [""];
  for (const [i, word] of words.entries()) {
    const text = i < words.length - 1 ? `${word}, ` : word;
    if (lines.at(-1)!.length + text.length > width) lines.push("");
    lines[lines.length - 1] += text;
  }
  return lines.map((line) => line.trimEnd()).join("\n");
}

const options = {
  ...configurationOptions,
  seed: { type: "string" },
  iterations: { type: "string" },
  optimizer: { type: "string" },
  "run-dir": { type: "string" },
  "stop-after": { type: "string" },
  resume: { type: "boolean" },
  ...kernelOption,
  debug: { type: "boolean" },
} as const;

type Options = ReturnType<typeof parse>;

function parse(args: readonly string[]) {
  return parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values;
}

const train: Command = {
  help,
  async run(args) {
    const values = parse(args);
    const stopAfter = wholeNumber("--stop-after", values["stop-after"], 1);
    const line = new LiveLine();
    const chosen = values.resume ? undefined : await configurationOf(values);
    const path = chosen ? runPath(values, chosen) : await resumedPath(values);
    await writeOnly({ folders: [path] });
    const resumed = chosen ? undefined : await resumedRun(values, path, line);
    const configuration = chosen ?? resumed!.configuration;
    const gpu = await openAdapter();
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
    const dataset = resumed ? fitDataset(loaded, resumed.checkpoint.images) : loaded;
    for (const warning of missingClasses(dataset)) line.note(`warning: ${warning}`);
    using stack = new DisposableStack();
    const directory = resumed && stack.use(resumed.directory);
    const listener = new TrainingLine(line);
    const session: Session = {
      values,
      path,
      configuration,
      dataset,
      line,
      listener,
      stack,
      directory,
      checkpoint: resumed?.checkpoint,
    };
    const { summary, iteration } = await acrossLosses({
      gpu,
      open: openAdapter,
      work: (gpu) => trainOn(gpu, session, stopAfter),
      reached: () => listener.reached,
      tell: (text) => line.note(text),
      pause: (milliseconds) => pauseUnless(session.interrupted, milliseconds),
    });
    line.finish();
    if (summary) printSummary(summary, path);
    else print(await stopped(iteration, path));
    return session.interrupted!.aborted ? exitStatus.interrupted : exitStatus.success;
  },
};

/** What a run keeps when the GPU is lost and opened again. */
interface Session {
  readonly values: Options;
  /** Where the run is kept. */
  readonly path: string;
  readonly configuration: Configuration;
  readonly dataset: Dataset;
  readonly line: LiveLine;
  readonly listener: TrainingLine;
  /** Disposes of the run directory. */
  readonly stack: DisposableStack;
  directory: RunDirectory | undefined;
  /** Where to go on. */
  checkpoint: Checkpoint | undefined;
  interrupted?: AbortSignal;
  /** When training began, and the iteration to stop at. */
  limits?: { readonly began: number; readonly last: number };
}

/** Trains on a GPU, from the last checkpoint on if the one before was lost. */
async function trainOn(
  gpu: Gpu,
  session: Session,
  stopAfter = Infinity,
): Promise<{ summary: Summary | undefined; iteration: number }> {
  const { values, path, configuration, dataset, line, listener } = session;
  const kernels =
    await (session.directory ? session.directory.kernels(gpu) : kernelTable(gpu, values.kernels));
  const trainer = new Trainer(contextWith(gpu, kernels), configuration, dataset);
  // Only now: options and data that turn out to be wrong leave no run behind.
  const directory = session.directory ??= session.stack.use(
    await RunDirectory.create(path, configuration, kernels),
  );
  for (const difference of await directory.noteData(describeData(dataset))) {
    line.note(`warning: the run began with other data: another ${difference}`);
  }
  if (session.limits) session.checkpoint = await checkpointIfAny(directory, configuration, line);
  const { checkpoint } = session;
  if (checkpoint) await resume(trainer, { directory, checkpoint, configuration }, line);
  else await directory.metrics.rewind(0, undefined);
  const before = await directory.noteAdapter(gpu.adapterName);
  if (before !== undefined) line.note(`warning: ${otherBits(before, gpu.adapterName)}`);
  if (!session.limits) print(headline(gpu, trainer, configuration, dataset.train.count));

  const signal = session.interrupted ??= await interruption((text) => line.note(text));
  const { began, last } = session.limits ??= {
    began: performance.now(),
    last: trainer.iteration + stopAfter,
  };
  await compilePlan(gpu, trainer.record(), line);
  const run = new TrainingRun(trainer, configuration, dataset, directory, listener);
  const summary = await run.run({ stopAfter: last - trainer.iteration, signal, began });
  return { summary, iteration: trainer.iteration };
}

/** Waits, but not longer than until a signal aborts. */
function pauseUnless(signal: AbortSignal | undefined, milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** The newest checkpoint that is whole; none if the run has not got as far as the first. */
async function checkpointIfAny(
  directory: RunDirectory,
  configuration: Configuration,
  line: LiveLine,
): Promise<Checkpoint | undefined> {
  if ((await checkpointNames(directory.path)).length === 0) return undefined;
  return await directory.resumableCheckpoint(configuration, (message) => line.note(message));
}

/** What is said of a run that was stopped before its end. */
async function stopped(iteration: number, path: string): Promise<string> {
  const beginning = (await checkpointNames(path)).length === 0;
  return beginning
    ? `stopped before the first iteration, with nothing to save; start ${path} again as before`
    : `stopped at iteration ${iteration}; go on with: ${resumeCommand(path)}`;
}

/** Where a new run is kept. */
function runPath(values: Options, { dataset }: Configuration): string {
  const name = values.preset ?? (values.config === undefined ? defaultPreset : dataset);
  return values["run-dir"] ?? newRunPath(name);
}

async function configurationOf(values: Options): Promise<Configuration> {
  return await chosenConfiguration(values, settingsOf(values));
}

/** What the options change of a configuration. */
function settingsOf(values: Options): string[] {
  const settings = [...values.set ?? []];
  const iterations = wholeNumber("--iterations", values.iterations, 1);
  const seed = wholeNumber("--seed", values.seed);
  if (iterations !== undefined) settings.push(`iterations=${iterations}`);
  if (seed !== undefined) settings.push(`seed=${seed}`);
  if (values.optimizer !== undefined) settings.push(`optimizer=${values.optimizer}`);
  return settings;
}

/** A run to be continued. */
interface Resumed {
  readonly directory: RunDirectory;
  readonly checkpoint: Checkpoint;
  /** The run's own configuration, with what the options change of it. */
  readonly configuration: Configuration;
}

/** Where the run to continue is kept. */
async function resumedPath(values: Options): Promise<string> {
  const fixed = (["preset", "config", "kernels"] as const).find((name) => values[name] !== undefined);
  if (fixed) throw new UsageError(`--${fixed} cannot be changed when a run is resumed`);
  return values["run-dir"] ?? await newestRun();
}

async function resumedRun(values: Options, path: string, line: LiveLine): Promise<Resumed> {
  const directory = await RunDirectory.open(path);
  const before = await directory.configuration();
  let changed: Record<string, unknown> = before;
  for (const setting of settingsOf(values)) changed = applySetting(changed, setting);
  const after = parseConfiguration(changed);
  const dataFolder = after.dataFolder === null ? null : resolve(after.dataFolder);
  const checkpoint = await directory.resumableCheckpoint(before, (message) => line.note(message));
  const { iteration, recovery } = checkpoint;
  const at = { iteration, attempts: recovery?.attempts.length ?? 0 };
  const configuration = changedConfiguration(before, { ...after, dataFolder }, at);
  return { directory, checkpoint, configuration };
}

async function resume(
  trainer: Trainer,
  { directory, checkpoint, configuration }: Resumed,
  line: LiveLine,
): Promise<void> {
  restoreTrainer(trainer, checkpoint);
  await directory.writeJson("config.json", configuration);
  await directory.rewind(checkpoint, (message) => line.note(message));
  line.note(`resuming ${directory.path} at iteration ${checkpoint.iteration}`);
}

function otherBits(before: string, now: string): string {
  return `this run was computed on ${before} so far, and goes on with ${now}: the result is not the same bit for bit`;
}

function resumeCommand(path: string): string {
  return `deno task train --resume --run-dir ${path}`;
}

if (import.meta.main) await execute(train);
