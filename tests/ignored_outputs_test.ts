/** Files that the commands write to their default paths must not show up in `git status`. */

import assert from "node:assert/strict";
import { programs } from "../bench/programs.ts";
import { projectFolder, taskCommands } from "../scripts/tasks.ts";

/** Tasks that write files under version control. */
const kept = ["docs", "curves"];

/** The text of every file in a folder of the project and in its subfolders. */
function textsOf(folder: string): string[] {
  return [...Deno.readDirSync(projectFolder + folder)].flatMap(({ name, isFile }) =>
    isFile ? [Deno.readTextFileSync(`${projectFolder}${folder}/${name}`)] : textsOf(`${folder}/${name}`)
  );
}

const matches = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, found]) => found!);

/** The paths of `--allow-write` flags, without "/": the commands narrow that one themselves. */
const allowed = (text: string) =>
  matches(text, /--allow-write=(\S+)/g).flatMap((list) => list.split(",")).filter((path) => path !== "/");

/** The default output paths that help texts name, with a name in place of <…> and NAME. */
const helped = textsOf("src/cli").flatMap((text) =>
  matches(
    text,
    /^ {2}--(?:out|to|run-dir) +(?:FILE|DIR)\b(?:(?!\n {2}-)[^])*?\(default:\s+(?:the\s+project's\s+)?([^\s),]+)/gm,
  )
).map((path) => path.replaceAll(/<\w+>|\bNAME\b/g, "some"));

const tasks = [...taskCommands].filter(([name]) => !kept.includes(name)).flatMap(([, command]) =>
  allowed(command)
);
const benches = Object.values(programs).flatMap(({ permissions }) => allowed(permissions.join(" ")));
const examples = textsOf("examples").flatMap(allowed);
const ownFolders = [...textsOf("src/cli"), ...textsOf("bench/programs")].flatMap((text) =>
  matches(text, /projectPath\("(?!docs\/)([^"]+)"\)/g)
);

const defaults = [...new Set([...helped, ...tasks, ...benches, ...examples, ...ownFolders])].sort();

/** Whether Git ignores a file, even one that it tracks. Undefined if there is no Git or no checkout. */
async function ignored(path: string): Promise<boolean | undefined> {
  try {
    const { code } = await new Deno.Command("git", {
      args: ["check-ignore", "--quiet", "--no-index", path],
      cwd: projectFolder,
      stderr: "null",
    }).output();
    return code > 1 ? undefined : code === 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

Deno.test("the defaults of what commands write are found", () => {
  assert.deepEqual(defaults, [
    "bench/results",
    "comparison",
    "data/some",
    "dist",
    "evaluation/",
    "jem.safetensors",
    "restored.png",
    "runs",
    "runs/ablation",
    "runs/recovery",
    "runs/some-some",
    "samples.png",
    "tuning/some.json",
  ]);
});

Deno.test({
  name: "Git ignores what commands write unless they are told where",
  ignore: await ignored("README.md") === undefined,
  async fn() {
    assert.equal(await ignored("README.md"), false);
    for (const path of defaults) {
      const file = /\.\w+$/.test(path) ? path : `${path.replace(/\/$/, "")}/file`;
      assert(await ignored(file), `${file} is not ignored`);
    }
  },
});
