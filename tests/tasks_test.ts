/** The tasks of `deno.json` as a user meets them first. */

import assert from "node:assert/strict";
import { projectFolder, taskCommands } from "../scripts/tasks.ts";

/** All files of the project with their times of change, but for what Git and Deno keep. */
async function filesOf(folder: string): Promise<Map<string, number | undefined>> {
  const files = new Map<string, number | undefined>();
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}${name}`;
    if (name === ".git" || name === ".tools" || name === "node_modules") continue;
    files.set(path, isDirectory ? undefined : (await Deno.stat(path)).mtime?.getTime());
    if (isDirectory) { for (const [below, time] of await filesOf(`${path}/`)) files.set(below, time); }
  }
  return files;
}

/** Runs `deno task` in a folder of the project. */
async function task(...args: string[]): Promise<{ status: number; output: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", ...args],
    cwd: projectFolder,
    env: { NO_COLOR: "1" },
  }).output();
  const [output, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { status: code, output: output! + errors! };
}

Deno.test("every task explains itself with --help, and starts nothing", async () => {
  const before = await filesOf(projectFolder);
  for (const name of taskCommands.keys()) {
    const { status, output } = await task(name, "--help");
    assert.equal(status, 0, `${name}: ${output}`);
    assert.match(output, /Usage: deno \S+/, name);
    assert.doesNotMatch(output, /error:|Checked \d+ files|running \d+ tests/, name);
  }
  assert.deepEqual(await filesOf(projectFolder), before);
});

Deno.test("a task refuses an option that it does not know", async () => {
  for (
    const name of ["build", "docs", "bench", "bench:browser", "bench:peers", "ablation", "web", "style", "ok"]
  ) {
    const { status, output } = await task(name, "--nonsense");
    assert.equal(status, 2, `${name}: ${output}`);
    assert.match(output, /^error: .*$/m, name);
  }
});
