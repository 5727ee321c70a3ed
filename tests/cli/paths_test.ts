/** Paths that a user types are relative to the user's current folder, however the command is started. */

import assert from "node:assert/strict";
import { projectFolder } from "../../scripts/tasks.ts";
import { withFiles } from "../temporary.ts";
import { outcome, ownErrors } from "./commands.ts";

/** How a user in another folder starts a task. */
const starters: Readonly<Record<string, readonly string[]>> = {
  "deno task": [Deno.execPath(), "task", "--config", `${projectFolder}deno.json`],
  "./run": [`${projectFolder}run`],
};

/** Options for a short training run. */
const short = [
  ...["likelihoodBatch=4", "labelledBatch=4", "bufferSize=20", "steps=1", "warmup=1"],
  ...["dataLimit=20", "validationCount=0", "dataFolder=numbers"],
].flatMap((setting) => ["--set", setting]);

/** Runs a task in a folder. INIT_CWD is unset because it names the test process's own folder. */
async function inFolder(folder: string, starter: readonly string[], ...args: string[]) {
  return await outcome(
    new Deno.Command("/bin/sh", {
      args: ["-c", 'unset INIT_CWD; exec "$@"', "sh", ...starter, ...args],
      cwd: folder,
      env: { NO_COLOR: "1" },
      stdout: "piped",
      stderr: "piped",
    }).spawn(),
  );
}

for (const [name, starter] of Object.entries(starters)) {
  Deno.test({
    name: `${name}: typed paths are relative to the user's folder`,
    ignore: Deno.build.os === "windows",
    async fn(t) {
      await withFiles({}, async (temporary) => {
        // Deno and the shell resolve links in the path of the current folder.
        const folder = await Deno.realPath(temporary);
        const succeeds = async (...args: string[]) => {
          const result = await inFolder(folder, starter, ...args);
          assert.equal(result.status, 0, result.errors);
          return result;
        };
        await copyDigits(`${folder}/numbers`);
        await t.step("train --run-dir, --set dataFolder", async () => {
          await succeeds("train", ...short, "--iterations", "1", "--run-dir", "trained");
          const configuration = JSON.parse(await Deno.readTextFile(`${folder}/trained/config.json`));
          assert.equal(configuration.dataFolder, `${folder}/numbers`);
          assert((await Deno.stat(`${folder}/trained/model.safetensors`)).isFile);
        });
        await t.step("train refuses a folder that is not there, by its path", async () => {
          const set = ["--preset", "cifar10-tiny", "--set", "dataFolder=absent"];
          const refused = await inFolder(folder, starter, "train", ...set, "--run-dir", "refused");
          assert.equal(refused.status, 1, refused.errors);
          assert(ownErrors(refused).some((line) => line.includes(`${folder}/absent`)), refused.errors);
        });
        await t.step("sample --out", async () => {
          const few = ["--count", "1", "--steps", "1", "--init", "noise"];
          await succeeds("sample", ...few, "--out", "one.png");
          await succeeds("sample", ...few, "--model", "trained");
          const written = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
          assert.deepEqual(written.sort(), ["numbers", "one.png", "samples.png", "trained"]);
        });
        await t.step("evaluate --out", async () => {
          await succeeds("evaluate", "--model", "trained", "--only", "calibration", "--out", "figures");
          assert((await Deno.stat(`${folder}/figures/results.json`)).isFile);
        });
      });
    },
  });
}

async function copyDigits(target: string): Promise<void> {
  await Deno.mkdir(target);
  for await (const { name } of Deno.readDir(`${projectFolder}data/digits`)) {
    await Deno.copyFile(`${projectFolder}data/digits/${name}`, `${target}/${name}`);
  }
}
