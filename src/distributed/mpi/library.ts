/** Finds and opens the library of an MPI. */

import { JobError } from "../../errors.ts";
import { type Functions, functions, textOf } from "./functions.ts";
import type { Family } from "./launcher.ts";

/** An open library. */
export interface Library {
  readonly path: string;
  readonly functions: Functions;
  /** Its own name, such as `Open MPI v4.1.4`. */
  readonly version: string;
}

/** File names of the library: with the standard ABI, and of each family. */
const names = {
  standard: ["libmpi_abi.so.1", "libmpi_abi.so.0", "libmpi_abi.dylib"],
  "Open MPI": ["libmpi.so.40", "libmpi.40.dylib"],
  MPICH: ["libmpich.so.12", "libmpi.so.12", "libmpi.12.dylib", "libmpich.dylib"],
} as const;

/** Where distributions and package managers put it. */
const folders: readonly string[] = [
  ...["x86_64", "aarch64"].flatMap((machine) =>
    ["", "/openmpi/lib", "/mpich/lib"].map((below) => `/usr/lib/${machine}-linux-gnu${below}`)
  ),
  ...["openmpi", "mpich"].map((name) => `/usr/lib64/${name}/lib`),
  ...["openmpi5", "openmpi4", "openmpi", "mpich"].map((name) => `/usr/lib64/mpi/gcc/${name}/lib64`),
  ...["/usr/lib64", "/usr/lib", "/usr/local/lib", "/opt/intel/oneapi/mpi/latest/lib"],
  ...["/opt/homebrew/lib", "/opt/local/lib"],
];

/** The variables that {@link openLibrary} reads. */
export const libraryVariables = ["MPI_LIBRARY", "LD_LIBRARY_PATH"] as const;

const packages = "Debian and Ubuntu have one in openmpi-bin or mpich, Fedora in openmpi or mpich";

/**
 * Opens the library that `MPI_LIBRARY` names, or else the first installed one: in `LD_LIBRARY_PATH`, where modules of
 * clusters put it, or in the usual folders.
 * @param variable reads the environment
 * @param family the family whose launcher started the process, and whose library is preferred
 * @param usual the usual folders
 * @throws {JobError} if there is none, or it cannot be used.
 */
export function openLibrary(
  variable: (name: typeof libraryVariables[number]) => string | undefined,
  family: Family | undefined,
  usual: readonly string[] = folders,
): Library {
  const chosen = variable("MPI_LIBRARY");
  if (chosen) return openChosen(chosen);
  const own = variable("LD_LIBRARY_PATH")?.split(":").filter((folder) => folder.startsWith("/")) ?? [];
  let failure: JobError | undefined;
  for (const path of candidates([own, usual], family).filter(isFile)) {
    try {
      return open(path);
    } catch (error) {
      if (!(error instanceof JobError)) throw error;
      failure ??= error;
    }
  }
  throw failure ?? new JobError(`no library of MPI was found: ${packages}; or set MPI_LIBRARY to its path`);
}

function openChosen(path: string): Library {
  if (!path.startsWith("/")) {
    throw new JobError(
      `MPI_LIBRARY takes the absolute path of a library such as libmpi.so.40, not "${path}"`,
    );
  }
  if (!isFile(path)) throw new JobError(`MPI_LIBRARY is ${path}, which is no file`);
  return open(path);
}

/**
 * Paths where a library may be, in groups of folders. In each group the library of the launcher's family comes first.
 */
export function candidates(groups: readonly (readonly string[])[], family: Family | undefined): string[] {
  const first = family ?? "Open MPI";
  const other = first === "MPICH" ? "Open MPI" : "MPICH";
  const inOrder = [...names[first], ...names.standard, ...names[other]];
  return groups.flatMap((group) => inOrder.flatMap((name) => group.map((folder) => `${folder}/${name}`)));
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return false;
    throw error;
  }
}

function open(path: string): Library {
  const { symbols } = load(path);
  const version = textOf((text, length) => symbols.MPI_Get_library_version(text, length));
  return { path, functions: symbols, version: version.split(/[,\n]/)[0]!.replaceAll(/[\s:]+/g, " ").trim() };
}

function load(path: string): Deno.DynamicLibrary<typeof functions> {
  try {
    return Deno.dlopen(path, functions);
  } catch (error) {
    if (!(error instanceof Error) || error instanceof Deno.errors.NotCapable) throw error;
    const [, missing] = /undefined symbol: (\w+)|symbol not found.*?(\w+)/i.exec(error.message) ?? [];
    throw new JobError(
      missing
        ? `${path} is no library of MPI, since it has no ${missing}; set MPI_LIBRARY to one`
        : `${path} does not load: ${reason(error.message, path)}`,
    );
  }
}

/** The message of the system's loader about a library, without the repeated preface. */
function reason(message: string, path: string): string {
  return message.replaceAll(/Could not open library: /g, "").replaceAll(`${path}: `, "").trim();
}
