/** Files are found no matter which characters the path of the project folder contains. */

import assert from "node:assert/strict";
import { projectFolder } from "../scripts/tasks.ts";
import { type Outcome, runOfCopy } from "./cli/commands.ts";
import { withProjectCopy } from "./project_copy.ts";

/** Folders that contain programs. */
const rooms = ["bench", "examples", "scripts", "src", "tests", "web"];

/** Paths of all modules below a folder, relative to the project. */
async function* modulesBelow(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(projectFolder + folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* modulesBelow(path);
    else if (/\.[jt]s$/.test(name)) yield path;
  }
}

/** Lines that use part of a URL as a file path. Such a part is percent-encoded, and ends at # and ?. */
function wrongPaths(text: string): string[] {
  const part = /\.pathname\b|\bhref\.(slice|replace)|["'`]file:\/\/["'`$]|\{[^}]*\bpathname\b[^}]*\} = /;
  // The path of a request to a server is not yet a file path.
  return text.split("\n").filter((line) => part.test(line) && !/\bnew URL\(request\.url\)/.test(line));
}

Deno.test("no module takes a URL's pathname for the path of a file", async () => {
  let count = 0;
  for (const room of rooms) {
    for await (const path of modulesBelow(room)) {
      if (path === "tests/file_paths_test.ts") continue;
      count++;
      assert.deepEqual(wrongPaths(await Deno.readTextFile(projectFolder + path)), [], path);
    }
  }
  assert(count > 300, `${count} modules`);
});

Deno.test("wrongPaths() tells files from requests", () => {
  for (
    const line of [
      'const root = new URL("../", import.meta.url).pathname;',
      "read(url.pathname);",
      "const { pathname } = new URL(name, import.meta.url);",
      'url.href.replace("file://", "");',
      "new URL(`file://${path}`);",
    ]
  ) assert.deepEqual(wrongPaths(line), [line]);
  for (const line of ["new URL(request.url).pathname.slice(1);", "fileURLToPath(url);"]) {
    assert.deepEqual(wrongPaths(line), []);
  }
});

// Windows allows no question mark in file names.
const awkward = `my projects/é 100% #1${Deno.build.os === "windows" ? "" : "?"}`;

Deno.test(`the commands work in a folder named "${awkward}"`, async (t) => {
  await withProjectCopy(awkward, async (project) => {
    const works = (task: string, ...args: string[]) =>
      t.step(task, async () => {
        const result = await runOfCopy(project, project, task, ...args);
        assert.equal(result.status, 0, describe(result));
      });
    const isFile = async (path: string) => assert((await Deno.stat(project + path)).isFile, path);

    await works("build");
    await isFile("dist/lib/kernels/mod.d.ts");
    await isFile("dist/shaders/vector/add.wgsl");
    await works("web", "--build");
    await isFile("dist/web/index.html");
    await works("convert", "data/models/digits.safetensors", "digits.pt");
    await isFile("digits.pt");
    await works("sample", "--steps", "1", "--count", "1");
    await isFile("samples.png");
    await works("bench", "--help");
    await works("bench", "published_memory", "--help");
  });
});

function describe({ output, errors }: Outcome): string {
  return `${output}\n${errors}`;
}
