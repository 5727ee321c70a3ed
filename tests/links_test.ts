import assert from "node:assert/strict";
import { join } from "node:path/posix";
import { projectFolder } from "../scripts/tasks.ts";
import { anchorsOf, brokenLink, linksOf } from "./markdown_links.ts";

/** Folders whose files are not part of the project. */
const skipped =
  /(^|\/)(\.[^/]+|node_modules|runs|dist|coverage|tuning|evaluation|comparison|data\/(?!digits|models)[^/]+)$/;

/** All files of the project whose names match `ending`, as paths relative to the project. */
async function filesOf(ending: RegExp, folder = ""): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory, isFile } of Deno.readDir(projectFolder + folder)) {
    const path = join(folder, name);
    if (isDirectory && !skipped.test(path)) found.push(...await filesOf(ending, path));
    if (isFile && ending.test(name)) found.push(path);
  }
  return found;
}

/** What is wrong with a link from a file of the project, if anything. */
const wrongWith = (file: string, link: string) => brokenLink(projectFolder, file, link);

Deno.test("linksOf() and anchorsOf() read Markdown as GitHub does", () => {
  const text = "# A `b`: c's, d–e × f\n\n## Twice\n\n### Twice\n\n```sh\n# no heading\n[no](link)\n```\n\n" +
    "[one](a.md#b) ![two](c.png), `[no](code)`\n[three](d_(e))\n\n## The [linked](x.md) one\n";
  assert.deepEqual([...anchorsOf(text)], ["a-b-cs-de--f", "twice", "twice-1", "the-linked-one"]);
  assert.deepEqual(linksOf(text), ["a.md#b", "c.png", "d_(e)", "x.md"]);
});

Deno.test("a link to what is not there is found", async () => {
  const wrong = (link: string) => wrongWith("docs/training.md", link);
  assert.equal(await wrong("../README.md"), undefined);
  assert.equal(await wrong("results.md#generation"), undefined);
  assert.equal(await wrong("#signs"), undefined);
  assert.match(await wrong("README.md") ?? "", /there is no docs\/README\.md/);
  assert.match(await wrong("#sign") ?? "", /docs\/training\.md has no heading #sign/);
  assert.match(await wrong("results.md#generations") ?? "", /docs\/results\.md has no heading #generations/);
  assert.match(await wrong("../src#a") ?? "", /no headings/);
});

Deno.test("every link and anchor in the Markdown files leads somewhere", async () => {
  const problems: string[] = [];
  let count = 0;
  for (const file of await filesOf(/\.md$/)) {
    for (const link of linksOf(await Deno.readTextFile(projectFolder + file))) {
      if (/^[a-z]+:/.test(link)) continue;
      count++;
      const problem = await wrongWith(file, link);
      if (problem) problems.push(problem);
    }
  }
  assert.deepEqual(problems, []);
  assert(count > 50, `${count} links`);
});

Deno.test("the journal's README lists every entry, a line each", async () => {
  const lines = (await Deno.readTextFile(`${projectFolder}docs/journal/README.md`)).split("\n");
  for (const file of await filesOf(/\.md$/, "docs/journal")) {
    const name = file.replace("docs/journal/", "");
    const entries = lines.filter((line) => line.startsWith("- [") && linksOf(line).includes(name));
    assert.equal(entries.length, name === "README.md" ? 0 : 1, name);
  }
});

Deno.test("documents that sources, shaders and texts name exist", async () => {
  const problems: string[] = [];
  for (const file of await filesOf(/\.(ts|wgsl|md|json|html|sh|c|py)$/)) {
    const text = await Deno.readTextFile(projectFolder + file);
    for (const [, name] of text.matchAll(/(?<![\w/.-])((?:docs|bench)\/[\w/-]*\.md(?:#[\w-]+)?)/g)) {
      const problem = await wrongWith("README.md", name!);
      if (problem) problems.push(`${file}: ${problem}`);
    }
  }
  assert.deepEqual(problems, []);
});

Deno.test("files and folders that CONTRIBUTING.md sends one to exist", async () => {
  const text = await Deno.readTextFile(`${projectFolder}CONTRIBUTING.md`);
  const paths = [...text.matchAll(/`((?:src|shaders|tests|scripts|docs)\/[\w./]*)`/g)].map(([, path]) =>
    path!
  );
  // Placeholders that the reader replaces are not checked.
  const real = paths.filter((path) => !/\/name\.\w+$/.test(path) && !path.includes("FAMILY"));
  for (const path of real) assert.equal(await brokenLink(projectFolder, "CONTRIBUTING.md", path), undefined);
  assert(real.length > 30, `${real.length} paths`);
});
