/** The tasks that compute on Dawn, and what --gpu says if they cannot. */

import assert from "node:assert/strict";
import { projectFolder, taskArguments, wholeLock } from "../../scripts/tasks.ts";
import { candidatesVersion } from "../../src/tensor/operations/conv2d/candidates.ts";
import { requireSameBytes } from "../same_bytes.ts";
import { withFiles } from "../temporary.ts";
import { type Outcome, outcome, ownErrors, run } from "./commands.ts";
import { quick } from "./training_runs.ts";
import { reproducible } from "../run_files.ts";

const preload = `${projectFolder}tests/dawn.ts`;

/** Whether Dawn accepts an adapter of this machine. */
async function isThere(): Promise<boolean> {
  const args = ["run", `--lock=${wholeLock}`, "--allow-read", "--allow-ffi", "--no-prompt", preload];
  const { success } = await new Deno.Command(Deno.execPath(), { args, stderr: "null" }).output();
  return success;
}

const there = await isThere();

/** A test that needs an adapter which Dawn accepts. */
function testOnDawn(name: string, fn: () => Promise<void>): void {
  const reason = there ? "" : " (left out: Dawn accepts no adapter here; it needs a GPU or Mesa 25)";
  Deno.test({ name: name + reason, ignore: !there, fn });
}

/** The command's own error lines. Dawn and its drivers write warnings to the same stream. */
function errorLines(ended: Outcome): string[] {
  return ownErrors(ended).filter((line) => line.startsWith("error:"));
}

const commands = ["train", "tune", "sample", "evaluate"];

Deno.test("--gpu dawn in a task that may load no library ends in a line that names the task for it", async (t) => {
  for (const task of commands) {
    await t.step(task, async () => {
      for (const args of [["--gpu", "dawn"], ["--gpu=deno", "--debug", "--gpu=dawn"]]) {
        const ended = await run(task, ...args);
        assert.equal(ended.status, 1);
        assert.deepEqual(errorLines(ended), [
          "error: Dawn is a library, which this task may not load; --gpu dawn is for: " +
          `./run ${task}:dawn`,
        ]);
      }
    });
  }
});

Deno.test("--gpu takes two names", async () => {
  for (
    const [args, said] of [[["--gpu", "cuda"], '"cuda"'], [["--seed", "1", "--gpu"], "nothing"]] as const
  ) {
    const ended = await run("train", ...args);
    assert.equal(ended.status, 2);
    assert.deepEqual(errorLines(ended), [`error: --gpu takes deno or dawn, not ${said}`]);
  }
});

Deno.test({
  name: "where Dawn accepts no adapter, its tasks say in a line what it needs" +
    (there ? " (left out: it accepts one here)" : ""),
  ignore: there,
  async fn() {
    await withFiles({}, async (folder) => {
      for (
        const args of [["train:dawn", "--run-dir", `${folder}/run`], [
          "sample:dawn",
          "--out",
          `${folder}/x.png`,
        ], ["test:dawn"]]
      ) {
        const ended = await run(args[0]!, ...args.slice(1));
        assert.equal(ended.status, 1);
        const [line, ...others] = errorLines(ended);
        assert.match(line!, /^error: Dawn (accepts no adapter of this machine: .*Mesa 25|.*does not load: )/);
        assert.deepEqual(others, []);
      }
    });
  },
});

/** Files of a run that must have the same bytes. */
const files = ["model.safetensors", "metrics.jsonl", "checkpoints/00000004.safetensors"];

async function succeeds(command: Promise<Outcome>): Promise<Outcome> {
  const ended = await command;
  assert.equal(ended.status, 0, ended.errors + ended.output);
  return ended;
}

async function adapterOf(path: string): Promise<string> {
  return (await Deno.readTextFile(`${path}/adapters.txt`)).trimEnd();
}

testOnDawn("train:dawn leaves the bytes of train where both compute on one software adapter", async () => {
  await withFiles({}, async (folder) => {
    const options = [...quick, "--iterations", "4", "--run-dir"];
    await succeeds(run("train", ...options, `${folder}/deno`));
    await succeeds(run("train:dawn", ...options, `${folder}/dawn`, "--gpu", "dawn"));
    assert.match(await adapterOf(`${folder}/dawn`), /, Dawn on /);
    const names = await Promise.all(["deno", "dawn"].map((run) => adapterOf(`${folder}/${run}`)));
    if (!names.every((name) => /llvmpipe/.test(name))) return;
    // Checkpoints are not compared, because they name the adapter.
    for (const name of ["model.safetensors", "metrics.jsonl"]) {
      const [deno, dawn] = await Promise.all(
        ["deno", "dawn"].map((run) => reproducible(`${folder}/${run}/${name}`)),
      );
      requireSameBytes(dawn!, deno!, name);
    }
  });
});

testOnDawn(
  "a run that was stopped says which task goes on, and that other adapters have other bits",
  async () => {
    await withFiles({}, async (folder) => {
      const options = [...quick, "--iterations", "4", "--run-dir", `${folder}/run`];
      const { output } = await succeeds(run("train:dawn", ...options, "--stop-after", "1"));
      assert.match(output, /; go on with: \.\/run train:dawn --resume --run-dir /);
      // The last --gpu wins.
      const resumed = await succeeds(
        run("train:dawn", "--resume", "--run-dir", `${folder}/run`, "--gpu", "deno"),
      );
      assert.match(
        resumed.output,
        /^warning: this run was computed on .*, Dawn on \w+ so far, and goes on with /m,
      );
    });
  },
);

testOnDawn(
  "sample:dawn computes on Dawn, and keeps choices of kernels apart from those for Deno",
  async () => {
    await withFiles({}, async (folder) => {
      const path = `${folder}/table.json`;
      const images = ["--count", "2", "--init", "noise", "--steps", "1", "--out", `${folder}/x.png`];
      const write = (adapter: string) =>
        Deno.writeTextFile(path, JSON.stringify({ adapter, version: candidatesVersion, choices: [] }));
      await write("another");
      const refused = await run("sample:dawn", ...images, "--kernels", path);
      assert.equal(refused.status, 1);
      const [, adapter] = /the kernels were chosen on "another"; this is "(.*, Dawn on \w+)"/.exec(
        refused.errors,
      )!;
      await write(adapter!);
      await succeeds(run("sample:dawn", ...images, "--kernels", path));
      const other = await run("sample", ...images, "--kernels", path);
      assert.equal(other.status, 1);
      assert.match(errorLines(other).join(), /the kernels were chosen on ".*, Dawn on \w+"; this is ".*"/);
    });
  },
);

testOnDawn("train:dawn: a run whose GPU is lost leaves the same files as one that keeps it", async () => {
  await withFiles({}, async (folder) => {
    const options = [...quick, "--iterations", "4", "--run-dir"];
    await succeeds(run("train:dawn", ...options, `${folder}/whole`));
    const [first, ...rest] = taskArguments("train:dawn");
    const preloads = [preload, `${projectFolder}tests/cli/lose_gpu.ts`].flatMap((
      file,
    ) => ["--preload", file]);
    for (const at of [1, 20]) {
      const path = `${folder}/lost${at}`;
      const { output } = await succeeds(outcome(
        new Deno.Command(Deno.execPath(), {
          args: [first!, ...preloads, "--allow-env=LOSE_AT", ...rest, ...options, path],
          env: { LOSE_AT: String(at), NO_COLOR: "1" },
          stdout: "piped",
          stderr: "piped",
        }).spawn(),
      ));
      assert.match(
        output,
        /^warning: the GPU device was lost: .*; opening the GPU again \(1 of 3\)$/m,
        String(at),
      );
      for (const name of files) {
        requireSameBytes(
          await reproducible(`${path}/${name}`),
          await reproducible(`${folder}/whole/${name}`),
          `lost at ${at}: ${name}`,
        );
      }
    }
  });
});
