/** Jobs of several processes under the launchers that are installed. */

import assert from "node:assert/strict";
import { type Ended, launch, type Launcher, launchers, runAlone, testWith } from "./launchers.ts";

/**
 * A job with a failing rank must end within this many seconds, including its start. The other rank would wait for a
 * minute.
 */
const soon = 30;

for (const launcher of launchers) {
  for (const processes of [1, 2, 4]) {
    testWith(launcher, `sums, broadcasts and gathers over ${processes}`, async () => {
      const { status, output, errors } = await launch(launcher, processes, ["rank.ts", "collectives"]);
      assert.equal(status, 0, errors);
      const done = RegExp(`^rank (\\d+) on \\S+ of ${processes} with ${launcher.name} .* is done$`, "gm");
      const ranks = [...output.matchAll(done)].map(([, rank]) => Number(rank));
      assert.deepEqual(ranks.sort(), Array.from({ length: processes }, (_, rank) => rank));
    });
  }

  testWith(launcher, "timers go on while a rank waits, and no other library can be opened", async () => {
    const { status, errors } = await launch(launcher, 2, ["rank.ts", "loop_lives", "ffi_is_given_up"]);
    assert.equal(status, 0, errors);
  });

  testWith(launcher, "what one rank throws, or the library refuses, ends the job with one line", async () => {
    const [thrown, refused] = await failures(launcher, "throw", "broadcast_too_much");
    assert.deepEqual(linesOfRanks(thrown!), ["rank 1 on HOST: the disk is full"]);
    assert.match(linesOfRanks(refused!).join("\n"), /^rank 1 on HOST: MPI_Bcast failed: .*truncated$/);
    assert.deepEqual([thrown!.status, refused!.status], [1, 1]);
  });

  testWith(launcher, "what all ranks throw is told once", async () => {
    const [failed] = await failures(launcher, "all_throw");
    assert.deepEqual(linesOfRanks(failed!), ["rank 0 on HOST: no such data set"]);
    assert.equal(failed!.status, 1);
  });

  testWith(
    launcher,
    "what nothing catches ends the job with one line, though its rank waits in a call",
    async () => {
      for (const failed of await failures(launcher, "reject", "timer")) {
        assert.deepEqual(linesOfRanks(failed), ["rank 1 on HOST: RangeError: nobody catches this"]);
        assert.equal(failed.status, 1);
      }
    },
  );

  testWith(launcher, "a rank that aborts, exits or is killed ends the job", async () => {
    const [aborted, exited] = await failures(launcher, "abort", "exit");
    assert.deepEqual([aborted!.status, exited!.status], [7, 3]);
    await failures(launcher, "kill");
  });
}

/** Runs jobs of two ranks at the same time. Rank 1 fails in each. */
function failures(launcher: Launcher, ...ways: string[]): Promise<Ended[]> {
  return Promise.all(ways.map(async (way) => {
    const ended = await launch(launcher, 2, ["rank.ts", way]);
    assert.notEqual(ended.status, 0);
    assert.ok(ended.seconds < soon, `${way} took ${ended.seconds} s`);
    assert.doesNotMatch(ended.output, /rank 1 .* is done/);
    return ended;
  }));
}

/**
 * The error lines of the ranks, without the launcher's. The host's name is replaced, because it differs on every
 * machine.
 */
function linesOfRanks({ errors }: Ended): string[] {
  const lines = errors.split("\n").filter((line) => line.startsWith("rank "));
  return lines.map((line) => line.replace(/ on \S+:/, " on HOST:"));
}

const [openMpi, mpich] = launchers as [Launcher, Launcher];

for (const [launcher, other] of [[openMpi, mpich], [mpich, openMpi]] as const) {
  const both = { ...launcher, missing: launcher.missing ?? other.missing };
  testWith(both, `refuses the library of ${other.name}, which sees one process only`, async () => {
    const library = { MPI_LIBRARY: other.library! };
    const { status, errors } = await launch(launcher, 2, ["rank.ts", "nothing"], library);
    assert.notEqual(status, 0);
    const own = `error: the launcher started 2 processes, but ${other.name} .* sees one: .*\n`;
    // MPICH 5 reports this itself.
    assert.match(errors, RegExp(`${own}|unsupported PMI version`));
  });

  testWith(launcher, "refuses a process that no launcher started", async () => {
    const { status, errors } = await runAlone(["rank.ts", "nothing"], {
      MPI_LIBRARY: launcher.library!,
    });
    assert.equal(status, 1);
    assert.match(errors, /^error: no launcher started this process; put mpirun -n .*\n$/m);
  });
}

Deno.test("a library that is none of MPI is refused by name", async (t) => {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/libmpi.so.40`, "text");
  const refused: Record<string, RegExp> = {
    "libmpi.so.40":
      /^error: MPI_LIBRARY takes the absolute path of a library such as .*, not "libmpi.so.40"\n$/,
    [`${folder}/none.so`]: /^error: MPI_LIBRARY is \/.*none.so, which is no file\n$/,
    [folder]: /^error: MPI_LIBRARY is \/.*, which is no file\n$/,
    [`${folder}/libmpi.so.40`]: /^error: \/.*libmpi.so.40 does not load: [^\n]+\n$/,
  };
  const libm = await mathLibrary();
  if (libm) {
    refused[libm] =
      /^error: \/.*libm.* is no library of MPI, since it has no MPI_\w+; set MPI_LIBRARY to one\n$/;
  }
  try {
    for (const [path, message] of Object.entries(refused)) {
      await t.step(path.replace(folder, "FOLDER"), async () => {
        const { status, errors } = await runAlone(["rank.ts", "nothing"], { MPI_LIBRARY: path });
        assert.match(errors, message);
        assert.equal(status, 1);
      });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** The path of a library that every system has and that has no MPI. */
async function mathLibrary(): Promise<string | undefined> {
  const folders = ["/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu", "/lib64", "/usr/lib"];
  for (const path of folders.map((folder) => `${folder}/libm.so.6`)) {
    if (await Deno.stat(path).then(() => true, () => false)) return path;
  }
  return undefined;
}
