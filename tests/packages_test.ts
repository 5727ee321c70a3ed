/** Which npm packages a command fetches. The first commands need few packages, because a new clone waits for them. */

import assert from "node:assert/strict";
import configuration from "../deno.json" with { type: "json" };
import { projectFolder, taskArguments, taskCommands } from "../scripts/tasks.ts";

/** The most bytes that the packages of the first commands may take on disk. */
const budget = 12e6;

const { imports, scopes } = configuration;
const lock = JSON.parse(await Deno.readTextFile(`${projectFolder}deno.lock`));
// If files of a package are imported (npm:/NAME@VERSION/), the lock file omits the slashes.
const small = Object.values(imports).filter((specifier) => specifier.startsWith("npm:"))
  .map((specifier) => specifier.replace(/^npm:\/(.*)\/$/, "npm:$1")).sort();

/** The commands without a lock file of their own, which use `deno.lock`. */
const firstCommands = [...taskCommands.keys()].filter((task) => {
  const args = taskArguments(task);
  return args[0] === "run" && args.at(-1)!.includes("/src/cli/") &&
    !args.some((arg) => arg.startsWith("--lock"));
});

/** Folders of the packages that a script imports, by name and version. */
async function packagesOf(script: string): Promise<Map<string, string>> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", script],
    cwd: projectFolder,
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  const { npmPackages } = JSON.parse(new TextDecoder().decode(stdout)) as {
    readonly npmPackages: Readonly<Record<string, { readonly localPath: string }>>;
  };
  return new Map(Object.entries(npmPackages).map(([name, { localPath }]) => [name, localPath]));
}

/** Bytes of all files under a folder. */
async function sizeOf(folder: string): Promise<number> {
  let size = 0;
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    size += isDirectory ? await sizeOf(path) : (await Deno.stat(path)).size;
  }
  return size;
}

Deno.test("deno.lock holds the packages of the first commands, and none of the reports, benches, tests or the build", () => {
  assert.deepEqual(
    Object.keys(lock.specifiers).sort(),
    small,
    "a command that needs other packages takes --lock=all.lock; git checkout deno.lock drops them",
  );
});

Deno.test(`the first commands import only packages of deno.lock, which take less than ${budget / 1e6} MB`, async () => {
  assert(firstCommands.includes("train") && firstCommands.includes("sample"));
  const imported = new Map<string, string>();
  for (const task of firstCommands) {
    for (const [name, folder] of await packagesOf(taskArguments(task).at(-1)!)) {
      assert(name in lock.npm, `${task} imports ${name}`);
      imported.set(name, folder);
    }
  }
  assert.deepEqual([...imported.keys()].sort(), Object.keys(lock.npm).sort());
  const sizes = await Promise.all([...imported.values()].map(sizeOf));
  const size = sizes.reduce((sum, bytes) => sum + bytes, 0);
  assert(size > 1e6 && size < budget, `${size} bytes`);
});

Deno.test("a package has one version, whoever imports it", () => {
  const versions = new Map<string, string>(Object.entries(imports));
  for (const [scope, packages] of Object.entries(scopes)) {
    for (const [name, specifier] of Object.entries(packages)) {
      assert.equal(specifier, versions.get(name) ?? specifier, `${name} in ${scope}`);
      versions.set(name, specifier);
    }
  }
});
