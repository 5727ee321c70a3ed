/** The tasks of `deno.json` as a new user sees them. */

import assert from "node:assert/strict";
import { checkArguments, programs } from "../bench/programs.ts";
import { projectFolder, taskCommands } from "../scripts/tasks.ts";

/** Modification times of all files of the project, except those that Git and Deno keep. */
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

/** Checks that a help text fits a window, that its options are aligned, and that it names no source file. */
function checkHelp(text: string): void {
  for (const line of text.split("\n").filter((line) => !line.startsWith("Task "))) {
    assert(line.length <= 120, line);
    assert.doesNotMatch(line, /^ ?-|\.ts\b/);
  }
}

/** Output of a task that did more than explain itself. */
const started = /error:|Checked \d+ files|running \d+ tests/;

Deno.test("every task and every bench explains itself with --help, and starts nothing", async (t) => {
  const before = await filesOf(projectFolder);
  for (const name of [...taskCommands.keys(), ...Object.keys(programs).map((bench) => `bench ${bench}`)]) {
    await t.step(name, async () => {
      const { status, output } = await task(...name.split(" "), "--help");
      assert.equal(status, 0, output);
      // Some tasks run Deno's own commands.
      assert.match(
        output,
        name.startsWith("bench") ? RegExp(`Usage: ./run ${name}\\b`) : /Usage: (deno|\.\/run) \S+/,
      );
      assert.doesNotMatch(output, started);
      if (/Usage: \.\/run/.test(output)) checkHelp(output);
    });
  }
  assert.deepEqual(await filesOf(projectFolder), before);
});

Deno.test("./run bench lists the benches, each of which is a program", async () => {
  const { status, output } = await task("bench");
  assert.equal(status, 0, output);
  for (const name of Object.keys(programs)) assert.match(output, RegExp(`^  ${name} `, "m"));
  const files = await Array.fromAsync(Deno.readDir(`${projectFolder}bench/programs`), ({ name }) => name);
  assert.deepEqual(files.sort(), Object.keys(programs).map((name) => `${name}.ts`).sort());
});

Deno.test("a task refuses an option that it does not know", async (t) => {
  const benches = Object.keys(programs).map((name) => `bench ${name}`);
  for (const name of ["build", "docs", "curves", "bench", "web", "watch", "style", "ok", ...benches]) {
    await t.step(name, async () => {
      const { status, output } = await task(...name.split(" "), "--nonsense");
      assert.equal(status, 2, output);
      assert.match(output, /^error: .*$/m);
    });
  }
});

Deno.test("a bench refuses words that it does not take", () => {
  const refused: Record<string, string[]> = {
    iterations: ["x"],
    bandwidth: ["x"],
    winograd: ["16", "x"],
    published_memory: ["float16", "x"],
    ablation: ["x", "--seeds", "1"],
  };
  for (const [name, args] of Object.entries(refused)) {
    assert.throws(() => checkArguments(programs[name]!, args), /an argument too many: x/, name);
  }
  checkArguments(programs["winograd"]!, ["16", "--debug"]);
  checkArguments(programs["peers"]!, ["matmul", "3x3", "--turns", "5"]);
  checkArguments(programs["ablation"]!, ["--seeds", "1", "--folder", "runs/a"]);
  // An option without a value does not take the next word as its value.
  checkArguments(programs["isa"]!, ["--dawn", "navi31", "--debug"]);
  assert.throws(() => checkArguments(programs["isa"]!, ["--dawn=navi31"]), /--dawn/);
});
