/**
 * The functions of MPI that are used, for Deno's FFI. Handles are an `int` in MPICH, and an address in Open MPI and in
 * MPI 5's standard ABI. One signature serves all, because a function that takes an `int` reads the lower half of the
 * register.
 */
const handle = "usize";

/** A buffer, or a constant in place of one. */
const address = "usize";

/** The signatures. Functions that wait for other processes are declared nonblocking: they run on another thread. */
export const functions = {
  MPI_Get_library_version: { parameters: ["buffer", "buffer"], result: "i32" },
  MPI_Abi_get_version: { parameters: ["buffer", "buffer"], result: "i32", optional: true },
  MPI_Init_thread: { parameters: ["pointer", "pointer", "i32", "buffer"], result: "i32" },
  MPI_Comm_set_errhandler: { parameters: [handle, handle], result: "i32" },
  MPI_Comm_rank: { parameters: [handle, "buffer"], result: "i32" },
  MPI_Comm_size: { parameters: [handle, "buffer"], result: "i32" },
  MPI_Get_processor_name: { parameters: ["buffer", "buffer"], result: "i32" },
  MPI_Error_string: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  MPI_Allreduce: {
    parameters: [address, "buffer", "i32", handle, handle, handle],
    result: "i32",
    nonblocking: true,
  },
  MPI_Bcast: { parameters: ["buffer", "i32", handle, "i32", handle], result: "i32", nonblocking: true },
  MPI_Send: {
    parameters: ["buffer", "i32", handle, "i32", "i32", handle],
    result: "i32",
    nonblocking: true,
  },
  MPI_Recv: {
    parameters: ["buffer", "i32", handle, "i32", "i32", handle, "buffer"],
    result: "i32",
    nonblocking: true,
  },
  MPI_Barrier: { parameters: [handle], result: "i32", nonblocking: true },
  MPI_Abort: { parameters: [handle, "i32"], result: "i32" },
  MPI_Finalize: { parameters: [], result: "i32" },
} as const;

/** The functions of a library that is open. */
export type Functions = Deno.DynamicLibrary<typeof functions>["symbols"];

/** Enough bytes for any text that MPI returns. */
const longestText = 8192;

/** Text that a function writes, with its length in bytes. */
export function textOf(
  write: (text: Uint8Array<ArrayBuffer>, length: Int32Array<ArrayBuffer>) => number,
): string {
  const text = new Uint8Array(longestText);
  const length = new Int32Array(1);
  write(text, length);
  return new TextDecoder().decode(text.subarray(0, length[0])).replace(/\0[^]*/, "");
}
