import assert from "node:assert/strict";
import { packedDocument } from "../../scripts/packed_document.ts";
import { repositoryPage } from "../../scripts/repository.ts";
import { manifest } from "../../scripts/manifest.ts";
import { projectFolder } from "../../scripts/tasks.ts";
import { brokenLink, linksOf } from "../markdown_links.ts";

const published = { page: "https://github.com/owner/name", revision: "v1.2.3" };
const packed = new Set(["README.md", "docs/kernels.md", "LICENSE"]);
const text = [
  "[kernels](kernels.md#add) and [one](https://example.org/a) and [here](#there)",
  "[code](../src/a%20b.ts) `[no](code)` ![a picture](images/a.png)",
  "| [![a badge](images/b.png)](../README.md) | [`name`](../examples) |",
  "```ts",
  "values[0](kernels.md);",
  "```",
].join("\n");

Deno.test("links of a packed document lead to the repository on the web", () => {
  const blob = `${published.page}/blob/v1.2.3`;
  const raw = `${published.page}/raw/v1.2.3/docs/images`;
  assert.equal(
    packedDocument("docs/kernels.md", text, packed, published),
    [
      `[kernels](${blob}/docs/kernels.md#add) and [one](https://example.org/a) and [here](#there)`,
      `[code](${blob}/src/a%20b.ts) \`[no](code)\` ![a picture](${raw}/a.png)`,
      `| [![a badge](${raw}/b.png)](${blob}/README.md) | [\`name\`](${blob}/examples) |`,
      "```ts",
      "values[0](kernels.md);",
      "```",
    ].join("\n"),
  );
});

Deno.test("where the repository is not known, links lead to files of the package, and others are plain text", () => {
  assert.equal(
    packedDocument("docs/kernels.md", text, packed, undefined),
    [
      "[kernels](kernels.md#add) and [one](https://example.org/a) and [here](#there)",
      "code `[no](code)` a picture",
      "| [a badge](../README.md) | `name` |",
      "```ts",
      "values[0](kernels.md);",
      "```",
    ].join("\n"),
  );
});

Deno.test("repositoryPage() finds a repository's page in all forms of its address", () => {
  const page = "https://github.com/owner/name";
  for (
    const remote of [
      page,
      `${page}/`,
      `${page}.git`,
      `git+${page}.git`,
      "http://github.com/owner/name.git",
      "git@github.com:owner/name.git",
      "github.com:owner/name",
      "ssh://git@github.com:22/owner/name.git",
      "git://github.com/owner/name.git",
      "https://user:secret@github.com/owner/name.git",
    ]
  ) assert.equal(repositoryPage(remote), page, remote);
  assert.equal(
    repositoryPage("git@gitlab.com:group/part/name.git"),
    "https://gitlab.com/group/part/name",
  );
  const elsewhere = [
    "/srv/name",
    "../name.git",
    "file:///srv/name",
    "C:\\name",
    "name",
    "",
    "https://github.com/",
  ];
  for (const remote of elsewhere) assert.equal(repositoryPage(remote), undefined, remote);
});

Deno.test("package.json names a known repository as npm understands it", () => {
  const entry = { types: "./lib/mod.d.ts", default: "./lib/mod.js" };
  const text = manifest({ ".": entry, "./kernels": entry }, ['import { z } from "zod";'], published.page);
  const { repository, homepage, bugs, dependencies } = JSON.parse(text);
  assert.deepEqual(repository, { type: "git", url: "git+https://github.com/owner/name.git" });
  assert.equal(homepage, "https://github.com/owner/name#readme");
  assert.deepEqual(bugs, { url: "https://github.com/owner/name/issues" });
  assert.deepEqual(Object.keys(dependencies), ["zod"]);
});

Deno.test("the README's links lead to files and headings of the repository", async () => {
  const readme = packedDocument(
    "README.md",
    await Deno.readTextFile(`${projectFolder}README.md`),
    packed,
    published,
  );
  const links = linksOf(readme).filter((link) => link.startsWith(published.page));
  assert(links.length > 5 && linksOf(readme).every((link) => /^(https:|#)/.test(link)), `${links}`);
  for (const link of links) {
    const path = link.slice(published.page.length).replace(/^\/(blob|raw)\/v1\.2\.3\//, "");
    assert.equal(await brokenLink(projectFolder, "README.md", path), undefined);
  }
});
