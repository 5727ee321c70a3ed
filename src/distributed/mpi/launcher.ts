/** What the program that started a process, such as `mpirun` or `srun`, tells it in its environment. */

/** The two families of MPI that have a launcher of their own. */
export type Family = "Open MPI" | "MPICH";

/** The launcher of this process. */
export interface Launcher {
  /** Whose launcher it is; undefined where it starts processes of both, as Slurm's does. */
  readonly family: Family | undefined;
  /** How many processes it started; undefined where it does not say. */
  readonly size: number | undefined;
}

/** Variables that hold the number of processes; the launcher nearest to the process comes first. */
const sizes: readonly { readonly name: string; readonly family?: Family }[] = [
  { name: "OMPI_COMM_WORLD_SIZE", family: "Open MPI" },
  { name: "PMI_SIZE", family: "MPICH" },
  { name: "MV2_COMM_WORLD_SIZE", family: "MPICH" },
  { name: "SLURM_STEP_NUM_TASKS" },
];

/** Set by launchers that speak PMIx, which is Open MPI's way to find the other processes. */
const pmix = "PMIX_RANK";

/** All variables that {@link launcher} reads. */
export const launcherVariables: readonly string[] = [...sizes.map(({ name }) => name), pmix];

/**
 * The launcher of this process, or undefined if none started it. MPI itself sets some of these variables when it is
 * initialised, so this is to be called before.
 */
export function launcher(variable: (name: string) => string | undefined): Launcher | undefined {
  const speaksPmix = variable(pmix) !== undefined;
  for (const { name, family = speaksPmix ? "Open MPI" : undefined } of sizes) {
    const size = Number(variable(name));
    if (size >= 1) return { family, size };
  }
  return speaksPmix ? { family: "Open MPI", size: undefined } : undefined;
}
