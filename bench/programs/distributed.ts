/**
 * Times what the processes of a training exchange: a vector as long as WRN-28-10's gradients and smaller things, between
 * two processes of this machine under `mpirun`. Prints a table, and writes it to `bench/results/distributed.json`.
 */

import { print } from "../../src/cli/command.ts";
import { table } from "../../src/cli/format.ts";
import { jobVariables } from "../../src/distributed/job.ts";
import { JobError } from "../../src/errors.ts";
import { projectFolder, wholeLock } from "../../scripts/tasks.ts";
import { bench } from "../lib/bench.ts";
import type { ExchangeTimes } from "../lib/exchange.ts";
import { resultsFile, saveResults } from "../lib/processes.ts";

const processes = 2;

/** Runs the job and returns what rank 0 printed; what the launcher has to say goes to standard error. */
async function measure(): Promise<ExchangeTimes> {
  const permissions = ["--allow-read", "--allow-ffi", `--allow-env=${jobVariables}`];
  const command = new Deno.Command("mpirun", {
    args: [
      // Open MPI would bind each of two processes, with all their threads, to one core.
      ...["--bind-to", "none", "-n", String(processes)],
      ...["deno", "run", "--quiet", "--no-prompt", `--lock=${wholeLock}`],
      ...[...permissions, `${projectFolder}bench/lib/exchange.ts`],
    ],
    stderr: "inherit",
  });
  const { code, stdout } = await outputOf(command);
  if (code !== 0) throw new JobError(`mpirun ended with status ${code}`);
  // Some launchers print lines of their own.
  const line = new TextDecoder().decode(stdout).split("\n").find((line) => line.startsWith("{"));
  return JSON.parse(line!);
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
  const times = await measure();
  const { implementation, processors, join, calls } = times;
  const rows = calls.map(({ name, bytes, first, median, least }) => [
    name,
    (bytes / 1e6).toFixed(0),
    ...[first, median, least].map((milliseconds) => milliseconds.toFixed(2)),
  ]);
  print(
    `${processes} processes on ${processors} processors, ${implementation}; joined in ${
      join.toFixed(0)
    } ms\n\n` +
      table([["call", "MB", "first, ms", "median, ms", "least, ms"], ...rows]),
  );
  await saveResults(resultsFile("distributed"), times);
});
