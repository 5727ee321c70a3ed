/** The options of the training command. */

import { parseArgs } from "node:util";
import type { Configuration } from "../../train/configuration.ts";
import { presetNames } from "../../train/presets.ts";
import { UsageError, wholeNumber } from "../command.ts";
import { type Choice, chosenConfiguration, configurationOptions, defaultPreset } from "../configuration.ts";
import { subjectHelp } from "../configuration_help.ts";
import { wrap } from "../format.ts";
import { kernelHelp, kernelOption } from "../kernels.ts";
import { newestRun, newRunPath } from "../runs.ts";

export const help = `
Train a SADA-JEM: one Wide ResNet that classifies and generates.

Usage: ./run train [options]

  --preset NAME       start from a preset (default: digits)
  --config FILE       start from a JSON file of options, for example a run's config.json
  --set KEY=VALUE     change one option of the configuration; may be given repeatedly
  --seed N            seed of everything random
  --iterations N      length of the run
  --optimizer NAME    sgd or adam, the optimizer inside SAM
  --from MODEL        start from a trained model instead of a new one: a safetensors or PyTorch file, a run directory,
                      or the name of a bundled model. Its parameters, statistics and replay buffer are taken over
  --state NAME        for a file of PyTorch: the state dict to take if it holds several, such as ema_state_dict
  --run-dir DIR       where the run is kept (default: runs/<preset>-<time>)
  --stop-after N      save and stop after N more iterations
  --resume            continue the run in --run-dir, or else the newest one in runs/; with --set, --seed, --iterations
                      from here on, as far as its data, model, batches and shards stay the same
${kernelHelp}
  --ignore-hangup     go on when the terminal is closed
  --debug             show the stack trace of an error
  --help              show this text
${subjectHelp}

With --from, depth, width, norm, unconditional and bufferSize are those of the file unless --set or --config gives
them. Another depth, width or norm is refused; with another bufferSize the buffer is filled anew. Data with images
of another size are refused. The class head is new if the data's classes are not the model's, by number or by name;
a file that does not name its classes takes those of the data, in their order. Optimizer and schedule start afresh.
config.json keeps the path and the SHA-256 of the file under origin; --resume needs neither. docs/training.md says how
to turn a classifier into a SADA-JEM.

Presets: ${wrap(presetNames().join(", "), 110)}.
Ctrl-C saves and exits with status 130, a second one ends at once; --resume then continues as if nothing had happened,
bit for bit: a run keeps the kernels that it was started with. SIGTERM, SIGHUP (a closed terminal), SIGUSR2 and
SIGXCPU save and exit too; for Slurm: --signal=USR2@120. Not SIGUSR1: Deno opens its debugger on a
port of this computer.
Several GPUs or machines: mpirun --bind-to none -n 4 deno task train:mpi --set shards=4; see docs/distributed.md.
nohup ./run train goes on without its terminal, as --ignore-hangup does; Deno by itself takes no notice of nohup.

Examples:
  ./run train
  ./run train --preset digits-softmax --seed 3
  ./run data cifar10 && ./run train --preset cifar10 --run-dir runs/cifar10
  ./run train --preset svhn-jempp --set dataFolder=/data/svhn
  ./run train --preset cifar10 --set dataset=images --set dataFolder=pictures --set imageSize=64
  ./run train --set rho=0 --set augmentLikelihood=true --iterations 300
  ./run train --from runs/softmax --preset digits-from-softmax
  ./run train --from best_valid_ckpt.pt --preset svhn --set learningRate=0.01
  ./run train --resume --run-dir runs/cifar10
  ./run train --resume --run-dir runs/cifar10 --set learningRate=0.02 --seed 2
`;

const options = {
  ...configurationOptions,
  seed: { type: "string" },
  iterations: { type: "string" },
  optimizer: { type: "string" },
  from: { type: "string" },
  state: { type: "string" },
  "run-dir": { type: "string" },
  "stop-after": { type: "string" },
  resume: { type: "boolean" },
  ...kernelOption,
  debug: { type: "boolean" },
} as const;

/** The values of the options. */
export type Options = ReturnType<typeof parse>;

/** @throws {TypeError} for unknown options, as `parseArgs` does. */
export function parse(args: readonly string[]) {
  return parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values;
}

/** Where a new run is kept. */
export function runPath(values: Options, { dataset }: Configuration): string {
  const name = values.preset ?? (values.config === undefined ? defaultPreset : dataset);
  return values["run-dir"] ?? newRunPath(name);
}

/** The configuration of a new run, as far as the options decide it. A model that it starts from also has a say. */
export async function choiceOf(values: Options): Promise<Choice> {
  return await chosenConfiguration(values, settingsOf(values));
}

/** What the options change in a configuration. */
export function settingsOf(values: Options): string[] {
  const settings = [...values.set ?? []];
  const iterations = wholeNumber("--iterations", values.iterations, 1);
  const seed = wholeNumber("--seed", values.seed);
  if (iterations !== undefined) settings.push(`iterations=${iterations}`);
  if (seed !== undefined) settings.push(`seed=${seed}`);
  if (values.optimizer !== undefined) settings.push(`optimizer=${values.optimizer}`);
  return settings;
}

/** Folder of the run to continue. */
export async function resumedPath(values: Options): Promise<string> {
  const fixed = (["preset", "config", "kernels"] as const).find((name) => values[name] !== undefined);
  if (fixed) throw new UsageError(`--${fixed} cannot be changed when a run is resumed`);
  const beginning = (["from", "state"] as const).find((name) => values[name] !== undefined);
  if (beginning) {
    throw new UsageError(
      `--${beginning} begins a new run; a run that is resumed goes on from its own checkpoint`,
    );
  }
  return values["run-dir"] ?? await newestRun();
}
