import { JobError } from "../../errors.ts";
import type { Library } from "./library.ts";

/** The constants of an MPI, whose values depend on its ABI. */
export interface Handles {
  /** The communicator of all processes of the job. */
  readonly world: bigint;
  readonly float32: bigint;
  readonly float64: bigint;
  readonly byte: bigint;
  readonly sum: bigint;
  /** Stands for the buffer to read where it is also the buffer to write. */
  readonly inPlace: bigint;
  /** Makes functions return errors. Without it MPI would end the job without saying where. */
  readonly errorsReturn: bigint;
  /** The level of thread support at which every thread may call. */
  readonly threadMultiple: number;
}

/** The standard ABI: MPI 5.0, appendix A. */
const standard: Handles = {
  world: 0x101n,
  float32: 0x210n,
  float64: 0x214n,
  byte: 0x247n,
  sum: 0x21n,
  inPlace: 1n,
  errorsReturn: 0x143n,
  threadMultiple: 4096,
};

/** MPICH, and the libraries that share its ABI: Intel MPI, MVAPICH, Cray MPICH. */
const mpich: Handles = {
  world: 0x44000000n,
  float32: 0x4c00040an,
  float64: 0x4c00080bn,
  byte: 0x4c00010dn,
  sum: 0x58000003n,
  inPlace: 0xffffffffffffffffn,
  errorsReturn: 0x54000001n,
  threadMultiple: 3,
};

/** Open MPI: the addresses of these variables. */
const openMpi = {
  world: "ompi_mpi_comm_world",
  float32: "ompi_mpi_float",
  float64: "ompi_mpi_double",
  byte: "ompi_mpi_byte",
  sum: "ompi_mpi_op_sum",
  errorsReturn: "ompi_mpi_errors_return",
} as const;

/**
 * The constants of a library.
 * @throws {JobError} if its ABI is not known.
 */
export function handlesOf({ path, functions, version }: Library): Handles {
  if (hasStandardAbi(functions)) return standard;
  if (version.startsWith("Open MPI")) return openMpiHandles(path);
  if (/MPICH|Intel\(R\) MPI|MVAPICH/i.test(version)) return mpich;
  throw new JobError(
    `${path} is ${version}, an MPI that is not known; set MPI_LIBRARY to the library of Open MPI, MPICH or an MPI 5`,
  );
}

/** Whether the library has the standard ABI. A library with its own ABI lacks this function, or it returns −1. */
function hasStandardAbi({ MPI_Abi_get_version: abiVersion }: Library["functions"]): boolean {
  const major = Int32Array.of(-1);
  abiVersion?.(major, new Int32Array(1));
  return major[0] === 1;
}

function openMpiHandles(path: string): Handles {
  const names = Object.values(openMpi);
  const variables = Object.fromEntries(names.map((name) => [name, { type: "pointer" } as const]));
  const { symbols } = Deno.dlopen(path, variables);
  const addresses = Object.entries(openMpi).map(([constant, name]) =>
    [constant, Deno.UnsafePointer.value(symbols[name] as Deno.PointerValue)] as const
  );
  return {
    ...Object.fromEntries(addresses) as Record<keyof typeof openMpi, bigint>,
    inPlace: 1n,
    threadMultiple: 3,
  };
}
