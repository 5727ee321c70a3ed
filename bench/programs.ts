import { parseArgs } from "node:util";
import { UsageError } from "../src/cli/command.ts";
import { wrap } from "../src/cli/format.ts";

/** A bench, `bench/programs/NAME.ts`. */
export interface Program {
  /** Its arguments, such as `[WORD]... [--turns N]`. */
  readonly parameters: string;
  /** What it measures, to follow the word "Measures". */
  readonly measures: string;
  /** How long it takes on two cores, without a GPU. */
  readonly takes: string;
  /** Deno's flags for its process. */
  readonly permissions: readonly string[];
}

const read = "--allow-read";
const runDeno = "--allow-run=deno";
/** The tools, followed by the programs that they build. */
const isaPrograms = [
  ...["deno", "gcc", "spirv-cross", "nvcc", "dpkg-query", "apt-get", "tar", "python3"],
  ...["runs/isa/tools/replay", "runs/isa/tools/replay_intel"],
];
const writeResults = "--allow-write=bench/results";

/** All benches, by name. */
export const programs: Readonly<Record<string, Program>> = {
  iterations: {
    parameters: "",
    measures: "training iterations: their kernels, the host's share, the memory",
    takes: "two minutes",
    permissions: [read, runDeno, writeResults],
  },
  peers: {
    parameters: "[WORD]... [--turns N]",
    measures: "operations, gradients and iterations beside TensorFlow.js, jax-js, ONNX Runtime and PyTorch",
    takes: "an hour; a few minutes with words that choose benchmarks",
    permissions: [read, "--allow-run=deno,python3,/usr/bin/python3", writeResults],
  },
  winograd: {
    parameters: "[BATCH]",
    measures: "convolutions directly and by Winograd's algorithm, and each step of it",
    takes: "five minutes",
    permissions: [read],
  },
  bandwidth: {
    parameters: "",
    measures: "the kernels that only move memory, beside copies",
    takes: "a minute",
    permissions: [read],
  },
  first_iteration: {
    parameters: "",
    measures: "the time to the first iteration of a training, with empty and filled caches of the driver",
    takes: "two minutes",
    permissions: [read, "--allow-write", "--allow-run"],
  },
  published_memory: {
    parameters: "[float16]",
    measures: "the GPU memory of the published training, which needs no GPU",
    takes: "twenty seconds",
    permissions: [read, writeResults],
  },
  browser: {
    parameters: "",
    measures: "a step of SGLD in Chromium and in Deno, both on SwiftShader",
    takes: "a minute",
    permissions: [
      ...[read, "--allow-write", "--allow-run", "--allow-net=127.0.0.1", "--allow-env=SWIFTSHADER"],
      ...["--ignore-env", "--ignore-read=/proc/sys", "--allow-sys=homedir,osRelease"],
    ],
  },
  isa: {
    parameters: "[WORD]... [--dawn] [--intel] [--peers]",
    measures: "what GPUs' own compilers make of the kernels: registers, and the instructions of their loops",
    takes:
      "five minutes, or a quarter of an hour with all options; less with words that choose GPUs and kernels",
    permissions: [
      ...[read, "--allow-write=bench/results,runs"],
      `--allow-run=${isaPrograms.join()}`,
    ],
  },
  distributed: {
    parameters: "",
    measures:
      "what the processes of a training exchange under mpirun, and their iterations beside one process",
    takes: "two minutes",
    permissions: [read, "--allow-run=mpirun", `${writeResults},runs`],
  },
  ablation: {
    parameters: "[--seeds 1,2,3] [--iterations N] [--folder DIR] [--out DIR]",
    measures: "what each ingredient of SADA-JEM does on the digits: five recipes with several seeds",
    takes: "one to two hours; an interrupted one goes on where it stopped",
    permissions: [read, "--allow-write", "--allow-env=INIT_CWD", runDeno],
  },
  sampling: {
    parameters: "[WORD]... [--model FILE] [--count N] [--data-folder DIR] [--referee FILE]",
    measures: "what ways to run chains give: coverage and precision of their ends among held-out images",
    takes: "a minute for the digits",
    permissions: [read],
  },
  recovery: {
    parameters: "[WORD]... [--seeds 1,2,3] [--folder DIR]",
    measures: "what becomes of runs that would diverge, and that healthy ones are left alone",
    takes: "an hour; a few minutes with words that choose runs; an interrupted one goes on where it stopped",
    permissions: [read, "--allow-write"],
  },
};

/** The text of a bench's `--help`. */
export function helpOf(name: string): string {
  const { parameters, measures, takes } = programs[name]!;
  return `Usage: ./run bench ${`${name} ${parameters}`.trim()}

${wrap(`Measures ${measures}.`, 80)}
${wrap(`On two cores without a GPU it takes ${takes}.`, 80)}

  --debug      show the stack trace of an error
  --help       show this text`;
}

/**
 * Refuses arguments that a bench's help does not name.
 * @throws {UsageError} if there are more words than it takes.
 * @throws {TypeError} from `parseArgs`, if there is an unknown option.
 */
export function checkArguments({ parameters }: Program, args: readonly string[]): void {
  const named = [...parameters.matchAll(/--([a-z-]+)( \w)?/g)];
  const options = Object.fromEntries(
    named.map(([, option, value]) => [option, { type: value ? "string" : "boolean" } as const]),
  );
  const { positionals } = parseArgs({
    args: [...args],
    options: { ...options, debug: { type: "boolean" } },
    allowPositionals: true,
  });
  const words = parameters.includes("...") ? Infinity : parameters.match(/\[(?!--)/g)?.length ?? 0;
  if (positionals.length <= words) return;
  throw new UsageError(`there is an argument too many: ${positionals.slice(words).join(" ")}`);
}
