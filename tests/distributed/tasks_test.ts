/** The tasks for jobs, run with their own permissions under the launchers that are installed. */

import assert from "node:assert/strict";
import { outcome, ownErrors, run } from "../cli/commands.ts";
import { requireSameBytes } from "../same_bytes.ts";
import { mount } from "../small_disk.ts";
import { withFiles } from "../temporary.ts";
import { type Launcher, launchers, startTask, testWith } from "./launchers.ts";
import { reproducible } from "../run_files.ts";

/** A run of two shards that takes a second and uses everything that draws at random. */
const small = [
  ...settings({ shards: 2, dataLimit: 120, likelihoodBatch: 4, labelledBatch: 4, bufferSize: 20, steps: 1 }),
  ...settings({ norm: "act", dropout: 0.2, inputNoise: 0.03, noiseScale: 0.01, checkpointEvery: 2 }),
];

/** Iterations of a run that should not reach its end. */
const endless = 100_000;

/** A job whose rank is gone must end within this many seconds. */
const soon = 30;

function settings(options: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(options).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
}

const [openMpi, mpich] = launchers as [Launcher, Launcher];

for (const launcher of launchers) {
  testWith(launcher, "train:mpi leaves the files of one process, and goes on where one stopped", async () => {
    await withFiles({}, async (folder) => {
      const options = [...small, "--iterations", "6", "--run-dir"];
      await succeeds(run("train", ...options, `${folder}/one`));
      const { output, errors } = await succeeds(job(launcher, "train:mpi", [...options, `${folder}/two`]));
      assert.match(errors, /^adapter of rank 0 on \S+: .+\nadapter of rank 1 on \S+: .+\n/m);
      assert.match(output, /, by 2 processes, \d+(\.\d+)? % of the time in exchanges\n/);
      await requireSameRun(`${folder}/two`, `${folder}/one`);

      const stops = [...options, `${folder}/three`, "--stop-after", "3"];
      await succeeds(run("train", ...stops));
      await succeeds(job(launcher, "train:mpi", ["--resume", "--run-dir", `${folder}/three`]));
      await requireSameRun(`${folder}/three`, `${folder}/one`);
    });
  });
}

/** The signal that stops a job. Each launcher forwards a different one. */
const stopSignals = [[openMpi, "SIGUSR2"], [mpich, "SIGTERM"]] as const;

for (const [launcher, signal] of stopSignals) {
  testWith(launcher, `${signal} stops all ranks after one iteration, and one process goes on`, async () => {
    await withFiles({}, async (folder) => {
      const options = [...small, "--iterations", String(endless), "--run-dir"];
      const ended = await disturbed(
        launcher,
        [...options, `${folder}/stopped`],
        `${folder}/stopped`,
        (job) => {
          job.kill(signal);
          return Promise.resolve();
        },
      );
      assert.equal(ended.status, 0, ended.errors);
      const [, stopped] = /stopped at iteration (\d+); go on with/.exec(ended.output + ended.errors) ?? [];
      const more = ["--resume", "--run-dir", `${folder}/stopped`, "--stop-after", "2"];
      await succeeds(run("train", ...more));
      const last = Number(stopped) + 2;
      await succeeds(run("train", ...options, `${folder}/whole`, "--stop-after", String(last)));
      const name = `checkpoints/${String(last).padStart(8, "0")}.safetensors`;
      const [resumed, whole] = await Promise.all(
        ["stopped", "whole"].map((run) => Deno.readFile(`${folder}/${run}/${name}`)),
      );
      requireSameBytes(resumed!, whole!, name);
    });
  });
}

testWith(openMpi, "A rank that is killed ends the job, whose newest checkpoint goes on", async () => {
  await withFiles({}, async (folder) => {
    const path = `${folder}/run`;
    const options = [...small, "--iterations", String(endless), "--run-dir", path];
    const began = performance.now();
    const { status } = await disturbed(openMpi, options, path, async () => {
      const [, rank] = await ranksOf(path);
      Deno.kill(rank!, "SIGKILL");
    });
    assert.notEqual(status, 0);
    const seconds = (performance.now() - began) / 1000;
    assert.ok(seconds < 2 * soon, `${seconds} s`);
    // mpirun ends before the rank that it told to end. Until that rank ends, it holds the run.
    const resumed = () => run("train", "--resume", "--run-dir", path, "--stop-after", "1");
    let last = await resumed();
    for (let tries = 0; tries < soon && /is in use by another process/.test(last.errors); tries++) {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      last = await resumed();
    }
    await succeeds(Promise.resolve(last));
  });
});

testWith(
  openMpi,
  "A full disk ends the job at once, and what is on it goes on (skipped where mount may not)",
  async () => {
    await withFiles({ "disk/x": new Uint8Array() }, async (folder) => {
      const disk = `${folder}/disk`;
      if (!await mount(disk, 4096)) return;
      try {
        const path = `${disk}/run`;
        const options = [...small, "--iterations", String(endless), "--run-dir", path];
        const { status, errors } = await disturbed(openMpi, options, path, async () => {
          await Deno.writeFile(`${disk}/fill`, new Uint8Array(4096 * 1024)).catch(() => {});
        });
        assert.equal(status, 1);
        assert.match(
          errors,
          /^rank 0 on \S+: cannot write \S+\.safetensors \([\d,]+ bytes\): No space left on device$/m,
        );
        await Deno.remove(`${disk}/fill`);
        await succeeds(run("train", "--resume", "--run-dir", path, "--stop-after", "1"));
      } finally {
        await new Deno.Command("umount", { args: [disk] }).output();
      }
    });
  },
);

testWith(openMpi, "What does not fit together ends a job in one line, and leaves no run", async () => {
  await withFiles({}, async (folder) => {
    await Deno.mkdir(`${folder}/other`);
    await Deno.writeFile(`${folder}/other/digits.csv.gz`, await otherDigits());
    const run = `${folder}/run`;
    const options = [...small, "--iterations", "2", "--run-dir", run];
    const cases: [string[], string[], RegExp][] = [
      [
        options,
        [...options, "--set", `dataFolder=${folder}/other`],
        /^rank 0 on \S+: rank 1: other data than rank 0: \w+ is "\w+", not "\w+"$/,
      ],
      [
        [...options, "--set", "shards=3", "--set", "bufferSize=21"],
        [...options, "--set", "shards=3", "--set", "bufferSize=21"],
        /^rank 0 on \S+: configuration: .*shards/,
      ],
      [
        [...options, "--set", "shards=1"],
        [...options, "--set", "shards=1"],
        /^rank 0 on \S+: .*shards/,
      ],
    ];
    for (const [first, second, message] of cases) {
      const ended = await outcome(startTask(openMpi, "train:mpi", [first, second]));
      assert.notEqual(ended.status, 0);
      const lines = ownErrors(ended).filter((line) => line.startsWith("rank "));
      assert.equal(lines.length, 1, ended.errors);
      assert.match(lines[0]!, message);
    }
  });
});

testWith(openMpi, "sample:mpi exports the images of one process", async () => {
  await withFiles({}, async (folder) => {
    const options = (name: string) => [
      ...["--init", "noise", "--count", "101", "--steps", "1"],
      ...["--out", `${folder}/${name}.png`, "--export", `${folder}/${name}.npz`],
    ];
    const one = await succeeds(run("sample", ...options("one")));
    const two = await succeeds(job(openMpi, "sample:mpi", options("two")));
    assert.equal(table(two.output), table(one.output));
    for (const kind of ["png", "npz"]) {
      const [a, b] = await Promise.all(
        ["one", "two"].map((name) => Deno.readFile(`${folder}/${name}.${kind}`)),
      );
      requireSameBytes(b!, a!, kind);
    }
  });
});

Deno.test("A task for jobs that no launcher started says so in one line", async () => {
  const alone = await run("train:mpi", ...small);
  assert.notEqual(alone.status, 0);
  // Where MPI is missing, the message says that instead.
  assert.match(
    ownErrors(alone).join("\n"),
    /^error: (no launcher started this process; .*|there is no MPI.*)$/,
  );
});

function job(launcher: Launcher, task: string, args: readonly string[]) {
  return outcome(startTask(launcher, task, [args, args]));
}

async function succeeds(command: ReturnType<typeof outcome>) {
  const ended = await command;
  assert.equal(ended.status, 0, ended.errors + ended.output);
  return ended;
}

/** Starts a job of two, disturbs it after it has trained for some iterations, and waits for its end. */
async function disturbed(
  launcher: Launcher,
  args: readonly string[],
  path: string,
  disturb: (job: Deno.ChildProcess) => Promise<void>,
) {
  const process = startTask(launcher, "train:mpi", [args, args]);
  const ended = outcome(process);
  let isOver = false;
  void ended.finally(() => isOver = true);
  while (!isOver && await linesOf(`${path}/metrics.jsonl`) < 3) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  if (isOver) assert.fail((await ended).errors);
  await disturb(process);
  return await ended;
}

async function linesOf(path: string): Promise<number> {
  try {
    return (await Deno.readTextFile(path)).split("\n").length - 1;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

/** Process ids of the ranks that train a run. */
async function ranksOf(path: string): Promise<number[]> {
  const { stdout } = await new Deno.Command("pgrep", { args: ["-f", `^\\S*deno run .*${path}`] }).output();
  return new TextDecoder().decode(stdout).trim().split("\n").map(Number);
}

/** The digits with a different first pixel in each. */
async function otherDigits(): Promise<Uint8Array> {
  const packed = await Deno.readFile(new URL("../../data/digits/digits.csv.gz", import.meta.url));
  const text = await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip")))
    .text();
  const other = text.replace(/^\d+/gm, (pixel) => String(Number(pixel) + 1));
  const stream = new Blob([other]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function requireSameRun(path: string, expected: string): Promise<void> {
  const names = ["model.safetensors", "metrics.jsonl"];
  for await (const { name } of Deno.readDir(`${expected}/checkpoints`)) names.push(`checkpoints/${name}`);
  for (const name of names) {
    requireSameBytes(
      await reproducible(`${path}/${name}`),
      await reproducible(`${expected}/${name}`),
      name,
    );
  }
}

/** The table in a command's output. */
function table(output: string): string {
  return /class assigned[^]*?\nall .*/.exec(output)?.[0] ?? "";
}
