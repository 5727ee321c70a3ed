import { cp } from "node:fs/promises";
import { projectFolder } from "../scripts/tasks.ts";

/** Files and folders of the project that the tasks need, except the tests. */
const parts = [
  ...["LICENSE", "README.md", "all.lock", "deno.json", "deno.lock", "run"],
  ...[
    "bench",
    "data/digits",
    "data/models",
    "docs/images/chain.png",
    "docs/images/samples.png",
    "docs/kernels.md",
    "examples",
    "scripts",
    "shaders",
    "src",
    "web",
  ],
];

/**
 * Calls `use` with a copy of the project, then deletes the copy.
 * @param name of the copy's folder; may contain slashes
 * @param use takes the copy's folder, with a trailing slash
 */
export async function withProjectCopy(name: string, use: (folder: string) => Promise<void>): Promise<void> {
  const temporary = await Deno.makeTempDir();
  try {
    const folder = `${temporary}/${name}/`;
    for (const part of parts) await cp(projectFolder + part, folder + part, { recursive: true });
    await use(folder);
  } finally {
    await Deno.remove(temporary, { recursive: true });
  }
}
