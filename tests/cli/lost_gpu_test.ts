import assert from "node:assert/strict";
import { projectFolder, taskArguments } from "../../scripts/tasks.ts";
import { outcome, run } from "./commands.ts";
import { quick } from "./training_runs.ts";
import { withFiles } from "../temporary.ts";
import { reproducible } from "../run_files.ts";

const options = [...quick, "--iterations", "12"];

/** Trains, and loses the GPU at this submission. */
async function trainWithLoss(at: number, path: string) {
  const [first, ...rest] = taskArguments("train");
  const preload = ["--preload", `${projectFolder}tests/cli/lose_gpu.ts`, "--allow-env=LOSE_AT"];
  return await outcome(
    new Deno.Command(Deno.execPath(), {
      args: [first!, ...preload, ...rest, ...options, "--run-dir", path],
      env: { LOSE_AT: String(at), NO_COLOR: "1" },
      stdout: "piped",
      stderr: "piped",
    }).spawn(),
  );
}

Deno.test("train: a run whose GPU is lost leaves the same files, bit for bit, as one that keeps it", async () => {
  await withFiles({}, async (folder) => {
    const whole = await run("train", ...options, "--run-dir", `${folder}/whole`);
    assert.equal(whole.status, 0, whole.errors);
    // In early submissions, which fill the replay buffer or write the first checkpoint, and in a late one.
    for (const at of [1, 3, 20, 70]) {
      const path = `${folder}/lost${at}`;
      const { status, output, errors } = await trainWithLoss(at, path);
      assert.equal(status, 0, `${at}: ${errors}`);
      assert.match(
        output,
        /^warning: the GPU device was lost: .*; opening the GPU again \(1 of 3\)$/m,
        String(at),
      );
      for (const name of ["model.safetensors", "checkpoints/00000012.safetensors", "metrics.jsonl"]) {
        assert.deepEqual(
          await reproducible(`${path}/${name}`),
          await reproducible(`${folder}/whole/${name}`),
          `lost at ${at}: ${name} differs`,
        );
      }
    }
  });
});
