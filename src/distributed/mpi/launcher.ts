/** What the program that started a process, such as `mpirun` or `srun`, tells it through the environment. */

/** The two families of MPI that have their own launcher. */
export type Family = "Open MPI" | "MPICH";

/** The launcher of this process. */
export interface Launcher {
  /** The launcher's family; undefined if it starts processes of both, as Slurm's does. */
  readonly family: Family | undefined;
  /** How many processes it started; undefined if it does not say. */
  readonly size: number | undefined;
}

/** Variables that hold the number of processes. The launcher nearest to the process comes first. */
const sizes: readonly { readonly name: string; readonly family?: Family }[] = [
  { name: "OMPI_COMM_WORLD_SIZE", family: "Open MPI" },
  { name: "PMI_SIZE", family: "MPICH" },
  { name: "MV2_COMM_WORLD_SIZE", family: "MPICH" },
  { name: "SLURM_STEP_NUM_TASKS" },
];

/** Set by launchers that speak PMIx, with which Open MPI finds the other processes. */
const pmix = "PMIX_RANK";

/** All variables that {@link launcher} reads. */
export const launcherVariables: readonly string[] = [...sizes.map(({ name }) => name), pmix];

/**
 * The launcher of this process, or undefined if none started it. Call this before MPI is initialised, because MPI
 * itself then sets some of these variables.
 */
export function launcher(variable: (name: string) => string | undefined): Launcher | undefined {
  const speaksPmix = variable(pmix) !== undefined;
  for (const { name, family = speaksPmix ? "Open MPI" : undefined } of sizes) {
    const size = Number(variable(name));
    if (size >= 1) return { family, size };
  }
  return speaksPmix ? { family: "Open MPI", size: undefined } : undefined;
}
