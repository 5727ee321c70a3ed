import { cp } from "node:fs/promises";
import { projectFolder } from "../scripts/tasks.ts";

/** What the tasks need, but for the tests: files and folders of the project. */
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
 * Calls `use` with a copy of the project, and deletes it afterwards.
 * @param name of the copy's folder; may hold slashes
 * @param use takes the copy's folder, with a slash at the end
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
