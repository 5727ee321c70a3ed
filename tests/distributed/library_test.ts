/** How the MPI library, its ABI and the launcher are recognised, without any of them. */

import assert from "node:assert/strict";
import { jobVariables, refusalOfOne } from "../../src/distributed/job.ts";
import type { Functions } from "../../src/distributed/mpi/functions.ts";
import { handlesOf } from "../../src/distributed/mpi/handles.ts";
import { launcher } from "../../src/distributed/mpi/launcher.ts";
import { candidates, openLibrary } from "../../src/distributed/mpi/library.ts";
import { JobError } from "../../src/errors.ts";
import { refuses } from "../refusal.ts";

/** Reads variables from this environment. */
function environment(variables: Readonly<Record<string, string>>): (name: string) => string | undefined {
  return (name) => variables[name];
}

/** A library with this version. It has the standard ABI of this major version, or none. */
function library(version: string, abi: number | undefined): Parameters<typeof handlesOf>[0] {
  const answer = (major: Int32Array) => {
    major[0] = abi!;
    return 0;
  };
  const functions = { MPI_Abi_get_version: abi === undefined ? null : answer } as unknown as Functions;
  return { path: "/lib/libmpi.so", functions, version };
}

Deno.test("the launcher is told by its variables, those of mpirun before Slurm's", () => {
  const cases: [variables: Record<string, string>, expected: ReturnType<typeof launcher>][] = [
    [{}, undefined],
    [{ OMPI_COMM_WORLD_SIZE: "4", PMIX_RANK: "0", SLURM_STEP_NUM_TASKS: "2" }, {
      family: "Open MPI",
      size: 4,
    }],
    [{ PMI_SIZE: "3" }, { family: "MPICH", size: 3 }],
    [{ MV2_COMM_WORLD_SIZE: "8" }, { family: "MPICH", size: 8 }],
    [{ SLURM_STEP_NUM_TASKS: "2" }, { family: undefined, size: 2 }],
    [{ SLURM_STEP_NUM_TASKS: "2", PMIX_RANK: "1" }, { family: "Open MPI", size: 2 }],
    [{ PMIX_RANK: "1" }, { family: "Open MPI", size: undefined }],
    [{ PMI_SIZE: "", OMPI_COMM_WORLD_SIZE: "x" }, undefined],
  ];
  for (const [variables, expected] of cases) {
    assert.deepEqual(launcher(environment(variables)), expected, JSON.stringify(variables));
    for (const name of Object.keys(variables)) assert.ok(jobVariables.includes(name), name);
  }
});

Deno.test("one process goes on alone only if its launcher started one", () => {
  const of = (size: number | undefined) => refusalOfOne({ family: undefined, size }, "MPICH 4 (/lib/x)");
  assert.equal(of(1), undefined);
  assert.equal(of(undefined), undefined);
  assert.match(of(4)!, /^the launcher started 4 processes, but MPICH 4 \(\/lib\/x\) sees one: .*--mpi=pmix$/);
  assert.match(refusalOfOne(undefined, "MPICH 4")!, /^no launcher started this process; put mpirun -n/);
});

Deno.test("libraries are looked for in the folders of modules first, and those of the launcher's family first", () => {
  const groups = [["/own"], ["/usual", "/other"]];
  const paths = candidates(groups, "MPICH");
  assert.equal(paths[0], "/own/libmpich.so.12");
  const at = (path: string) => {
    assert.ok(paths.includes(path), path);
    return paths.indexOf(path);
  };
  assert.ok(at("/own/libmpi.so.40") < at("/usual/libmpich.so.12"));
  assert.ok(at("/other/libmpich.so.12") < at("/usual/libmpi_abi.so.1"));
  assert.ok(at("/other/libmpi_abi.so.1") < at("/usual/libmpi.so.40"));
  for (const family of ["Open MPI", undefined] as const) {
    assert.equal(candidates(groups, family)[0], "/own/libmpi.so.40");
  }
});

Deno.test("where there is no library, the packages are named in one line", async () => {
  const nothing = environment({ LD_LIBRARY_PATH: "relative:/nowhere" });
  await refuses(
    Promise.try(() => openLibrary(nothing, undefined, ["/nowhere/else"])),
    JobError,
    /^no library of MPI was found: .*openmpi-bin.*mpich.*MPI_LIBRARY/,
  );
});

Deno.test("the standard ABI is told by its function, the others by the version", async () => {
  assert.equal(handlesOf(library("Open MPI v6.0.0", 1)).world, 0x101n);
  for (const version of ["MPICH Version 4.0.2", "Intel(R) MPI Library 2021.13", "MVAPICH Version 3.0"]) {
    assert.equal(handlesOf(library(version, undefined)).world, 0x44000000n);
    assert.equal(handlesOf(library(version, -1)).world, 0x44000000n);
  }
  await refuses(
    Promise.try(() => handlesOf(library("HPE MPT 2.30", undefined))),
    JobError,
    /^\/lib\/libmpi.so is HPE MPT 2.30, an MPI that is not known; set MPI_LIBRARY/,
  );
});
