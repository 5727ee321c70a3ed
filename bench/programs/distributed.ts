/**
 * Times what the processes of a training exchange under `mpirun`: a vector as long as WRN-28-10's gradients, and
 * smaller ones, between two processes of this machine; then iterations of the digits by one process and by two. Prints
 * tables, and writes them to `bench/results/distributed.json`.
 */

import { print } from "../../src/cli/command.ts";
import { table } from "../../src/cli/format.ts";
import { jobVariables } from "../../src/distributed/job.ts";
import { percent } from "../../src/evaluate/percent.ts";
import { JobError } from "../../src/errors.ts";
import type { Summary } from "../../src/train/training_run.ts";
import { projectFolder, taskArguments, wholeLock } from "../../scripts/tasks.ts";
import { bench } from "../lib/bench.ts";
import type { ExchangeTimes } from "../lib/exchange.ts";
import { resultsFile, saveResults } from "../lib/processes.ts";

/** A software adapter computes each process on one core, so two processes have two cores and no more. */
const oneCore = { LP_NUM_THREADS: "1" };

/** Iterations that are timed, of two shards of the digits. */
const iterations = 30;

/** How fast a job trains. */
interface Training {
  readonly processes: number;
  readonly millisecondsPerIteration: number;
  /** Share of the time in exchanges. */
  readonly exchangeShare: number;
}

/** Runs a job and returns its output. What the launcher says goes to standard error. */
async function job(processes: number, args: readonly string[]): Promise<string> {
  // Open MPI would bind each of two processes, with all its threads, to one core.
  const command = new Deno.Command("mpirun", {
    args: ["--bind-to", "none", "-n", String(processes), "deno", ...args],
    env: oneCore,
    stderr: "inherit",
  });
  const { code, stdout } = await outputOf(command);
  if (code !== 0) throw new JobError(`mpirun ended with status ${code}`);
  return new TextDecoder().decode(stdout);
}

async function exchanges(): Promise<ExchangeTimes> {
  const permissions = ["--allow-read", "--allow-ffi", `--allow-env=${jobVariables}`];
  const options = ["run", "--quiet", "--no-prompt", `--lock=${wholeLock}`, ...permissions];
  const output = await job(2, [...options, `${projectFolder}bench/lib/exchange.ts`]);
  // Some launchers print lines of their own.
  return JSON.parse(output.split("\n").find((line) => line.startsWith("{"))!);
}

async function training(processes: number): Promise<Training> {
  const run = `${projectFolder}runs/bench-distributed`;
  const remove = () => Deno.remove(run, { recursive: true }).catch(() => {});
  await remove();
  try {
    const options = ["--set", "shards=2", "--iterations", String(iterations), "--run-dir", run];
    await job(processes, [...taskArguments("train:mpi"), ...options]);
    const summary: Summary = JSON.parse(await Deno.readTextFile(`${run}/summary.json`));
    return {
      processes,
      millisecondsPerIteration: 1000 * summary.seconds / iterations,
      exchangeShare: summary.processes?.exchangeShare ?? 0,
    };
  } finally {
    await remove();
  }
}

async function outputOf(mpirun: Deno.Command): Promise<Deno.CommandOutput> {
  try {
    return await mpirun.output();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new JobError("there is no mpirun; Debian and Ubuntu have it in openmpi-bin or mpich");
  }
}

await bench("distributed", async () => {
  const times = await exchanges();
  const { implementation, processors, join, calls } = times;
  const rows = calls.map(({ name, bytes, first, median, least }) => [
    name,
    (bytes / 1e6).toFixed(0),
    ...[first, median, least].map((milliseconds) => milliseconds.toFixed(2)),
  ]);
  print(
    `${times.processes} processes on ${processors} processors, ${implementation}; joined in ${
      join.toFixed(0)
    } ms\n\n` +
      table([["call", "MB", "first, ms", "median, ms", "least, ms"], ...rows]),
  );
  const trainings = [await training(1), await training(2)];
  print(
    `\n${iterations} iterations of the digits in two shards, each process on one core\n\n` +
      table([
        ["processes", "ms/iteration", "in exchanges"],
        ...trainings.map(({ processes, millisecondsPerIteration, exchangeShare }) => [
          String(processes),
          millisecondsPerIteration.toFixed(0),
          percent(exchangeShare),
        ]),
      ]),
  );
  await saveResults(resultsFile("distributed"), { ...times, trainings });
});
