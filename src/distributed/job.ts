import { JobError } from "../errors.ts";
import { MpiCommunicator } from "./mpi/communicator.ts";
import { type Launcher, launcher, launcherVariables } from "./mpi/launcher.ts";
import { libraryVariables, openLibrary } from "./mpi/library.ts";

/** The environment variables that {@link joinJob} reads, for `--allow-env`. */
export const jobVariables: readonly string[] = [...libraryVariables, ...launcherVariables];

/**
 * Joins the job whose processes a launcher such as `mpirun` started; a process can join only one job. Gives up the
 * permission for FFI once the library of MPI is open, so that no other library can be opened.
 * @throws {JobError} if there is no MPI, or if no launcher started this process, or one of another MPI did.
 */
export function joinJob(): MpiCommunicator {
  const variable = (name: string) => Deno.env.get(name);
  const by = launcher(variable);
  const communicator = new MpiCommunicator(openLibrary(variable, by?.family));
  Deno.permissions.revokeSync({ name: "ffi" });
  const refusal = communicator.size === 1 ? refusalOfOne(by, communicator.implementation) : undefined;
  if (refusal === undefined) return communicator;
  communicator.close();
  throw new JobError(refusal);
}

/** Why a process that sees no other one may not go on alone; undefined if it may. */
export function refusalOfOne(by: Launcher | undefined, implementation: string): string | undefined {
  if (!by) return "no launcher started this process; put mpirun -n and the number of GPUs before the command";
  if (by.size === undefined || by.size === 1) return undefined;
  return `the launcher started ${by.size} processes, but ${implementation} sees one: MPI_LIBRARY must name the ` +
    "library that belongs to mpirun; srun may need --mpi=pmix";
}
