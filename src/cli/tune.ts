import { parseArgs } from "node:util";
import { loadDataset } from "../data/load.ts";
import { clockOf } from "../gpu/time_in_turns.ts";
import { Context } from "../tensor/context.ts";
import { describeConv2d } from "../tensor/operations/conv2d/choice.ts";
import { mergeConv2dTables } from "../tensor/operations/conv2d/table.ts";
import {
  tunableConvolutions,
  tuneConvolutions,
  type TunedConvolution,
  tuningTable,
} from "../train/tuning.ts";
import { readTuningIfThere, tuningFolder, writeTuning } from "../train/tuning_file.ts";
import { openAdapter } from "./adapter.ts";
import { type Command, execute, exitStatus, print, projectPath } from "./command.ts";
import { chosenConfiguration, configurationOptions } from "./configuration.ts";
import { configurationHelp, subjectHelp } from "./configuration_help.ts";
import { table } from "./format.ts";
import { withGpuOption } from "./gpu_option.ts";
import { defaultTable } from "./kernels.ts";
import { LiveLine } from "./live_line.ts";
import { writeOnly } from "./permissions.ts";

const help = `
Choose convolution kernels for this adapter: time every candidate on the convolutions of a training, and keep the
fastest.

Usage: ./run tune [options]

  --preset NAME       the preset whose training is tuned for (default: digits)
  --config FILE       a JSON file of options instead, for example a run's config.json
  --set KEY=VALUE     change one option of the configuration; may be given repeatedly
  --out FILE          where the choices are kept, added to those that are there (default: the project's
                      tuning/<adapter>.json)
  --debug             show the stack trace of an error
  --help              show this text
${subjectHelp}

train, sample and evaluate use the project's tuning/<adapter>.json where it exists, or the file that --kernels names;
without one, results do not depend on any measurement. Only what decides the shapes and types matters here: the
data set, the model, the batches, the activations.

Examples:
  ./run tune
  ./run tune --preset cifar10 --out tuning/cifar10.json
  ./run tune --config runs/digits/config.json
`;

const options = {
  ...configurationOptions,
  out: { type: "string" },
  debug: { type: "boolean" },
} as const;

const tune: Command = {
  help,
  helpOn: configurationHelp,
  async run(args) {
    const { values } = parseArgs({ args: [...args], options, strict: true, allowPositionals: false });
    const { configuration } = await chosenConfiguration(values, values.set ?? []);
    await writeOnly({
      files: [values.out],
      folders: [values.out ? tuningFolder(values.out) : projectPath(tuningFolder())],
    });
    const dataset = await loadDataset({
      name: configuration.dataset,
      folder: configuration.dataFolder,
      limit: configuration.dataLimit,
      imageSize: configuration.imageSize,
      testShare: configuration.testShare,
    });
    const gpu = await openAdapter(configuration.products);
    const out = values.out ?? defaultTable(gpu);
    // Before the work, so that a file that cannot be extended ends it at once.
    const before = await readTuningIfThere(out, gpu);
    const convolutions = await tunableConvolutions(configuration, dataset);
    print(
      `${convolutions.length} convolutions with a choice of kernels, by ${clockNames[clockOf(gpu)]}, ` +
        `on ${gpu.adapterName}`,
    );
    const line = new LiveLine();
    const tuned = await tuneConvolutions(
      new Context(gpu),
      convolutions,
      configuration.activations,
      (done, { direction, shape }) =>
        line.update(`${done + 1}/${convolutions.length}: ${direction} ${describeConv2d(shape)}`),
    );
    line.clear();
    if (tuned.length > 0) print(timesTable(tuned));
    const after = tuningTable(gpu, tuned);
    await writeTuning(out, before ? mergeConv2dTables(before, after) : after);
    const changed = tuned.filter(({ chosen, times }) => chosen !== times[0]).length;
    print(`${changed} of ${tuned.length} are not the default; wrote ${out}`);
    gpu.destroy();
    return exitStatus.success;
  },
};

const clockNames = { timestamps: "the device's timestamps", host: "the host's clock" } as const;

/** Every candidate's time, with those of one convolution in consecutive lines. */
function timesTable(tuned: readonly TunedConvolution[]): string {
  const rows = tuned.flatMap(({ direction, shape, times, chosen }) =>
    times.map((time, i) => [
      i === 0 ? `${direction} ${describeConv2d(shape)}` : "",
      time.name,
      time.milliseconds.toFixed(3),
      `${(time.milliseconds / times[0]!.milliseconds).toFixed(2)}`,
      time === chosen ? "chosen" : "",
    ])
  );
  return table([["convolution", "kernel", "ms", "of the default", ""], ...rows]);
}

if (import.meta.main) await execute(withGpuOption("tune", tune));
