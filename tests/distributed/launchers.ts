/** Runs programs under the MPI launchers that are installed. */

import { projectFolder, taskArguments } from "../../scripts/tasks.ts";
import { jobVariables } from "../../src/distributed/job.ts";

/** A launcher, or the reason why it is missing. */
export interface Launcher {
  readonly name: "Open MPI" | "MPICH";
  readonly command: string | undefined;
  /** The library that its processes use. */
  readonly library: string | undefined;
  /** Why tests with it are skipped. */
  readonly missing: string | undefined;
}

/** How a job ended. */
export interface Ended {
  readonly status: number;
  readonly output: string;
  readonly errors: string;
  readonly seconds: number;
}

/** Root may start jobs, as in containers, and there may be more processes than cores. */
const environment = {
  OMPI_ALLOW_RUN_AS_ROOT: "1",
  OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: "1",
  OMPI_MCA_rmaps_base_oversubscribe: "true",
  PRTE_MCA_rmaps_default_mapping_policy: ":oversubscribe",
  NO_COLOR: "1",
};

/** What a process of a job may do. */
export const permissions = ["--allow-read", "--allow-ffi", `--allow-env=${jobVariables}`] as const;

/** Runs a program of this folder in a process without a launcher. */
export function runAlone(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  return run(Deno.execPath(), denoArguments(args), env);
}

/** Runs a program of this folder in several processes. */
export function launch(
  { command }: Pick<Launcher, "command">,
  processes: number,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Ended> {
  const program = [Deno.execPath(), ...denoArguments(args)];
  // By default, Open MPI would bind the processes of all tests running at the same time to the same cores.
  return run(command!, ["--bind-to", "none", "-n", String(processes), ...program], env);
}

function denoArguments([program, ...args]: readonly string[]): string[] {
  const path = `${projectFolder}tests/distributed/${program}`;
  return ["run", "--quiet", "--no-prompt", "--no-check", "--no-lock", ...permissions, path, ...args];
}

/**
 * Starts a task of `deno.json` in several processes, with its permissions.
 * @param ranks the arguments of each process
 */
export function startTask(
  { command }: Pick<Launcher, "command">,
  task: string,
  ranks: readonly (readonly string[])[],
): Deno.ChildProcess {
  const programs = ranks.map((args) => ["-n", "1", Deno.execPath(), ...taskArguments(task), ...args]);
  return new Deno.Command(command!, {
    args: ["--bind-to", "none", ...programs.flatMap((program, i) => i === 0 ? program : [":", ...program])],
    env: environment,
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function run(command: string, args: readonly string[], env: Record<string, string>): Promise<Ended> {
  const began = performance.now();
  const { code, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    env: { ...environment, ...env },
  }).output();
  const [output, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { status: code, output: output!, errors: errors!, seconds: (performance.now() - began) / 1000 };
}

/** What a launcher prints for `--version`, or an empty string if it is not installed. */
async function versionOf(command: string): Promise<string> {
  try {
    const { stdout } = await new Deno.Command(command, { args: ["--version"], env: environment }).output();
    return new TextDecoder().decode(stdout);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

/** Finds a family's launcher. Debian gives each a name of its own, and `mpirun` may belong to either. */
async function find(name: Launcher["name"], says: RegExp, ownName: string): Promise<Launcher> {
  for (const command of [ownName, "mpirun"]) {
    if (!says.test(await versionOf(command))) continue;
    // Two processes, because in some packages the launcher and the library do not find each other.
    const { output, errors } = await launch({ command }, 2, ["rank.ts", "nothing"]);
    const [, library] = /^rank 0 .*\((\/.*)\) is done$/m.exec(output) ?? [];
    const missing = library ? undefined : `${command} starts no job: ${errors.trim().split("\n")[0]}`;
    return { name, command, library, missing };
  }
  return { name, command: undefined, library: undefined, missing: `no mpirun of ${name} is installed` };
}

/** The launchers of both families. */
export const launchers: readonly Launcher[] = await Promise.all([
  find("Open MPI", /Open MPI|OpenRTE|PRRTE/, "mpirun.openmpi"),
  find("MPICH", /HYDRA|Intel\(R\) MPI/, "mpirun.mpich"),
]);

/** A test with a launcher. If it is missing, the test is skipped and its name says why. */
export function testWith(launcher: Launcher, name: string, test: () => Promise<void>): void {
  const { missing } = launcher;
  const reason = missing === undefined ? "" : ` (skipped: ${missing})`;
  Deno.test({ name: `${launcher.name}: ${name}${reason}`, ignore: missing !== undefined, fn: test });
}
