/** The files and names that docs/tour.md points at exist, and each file declares its names. */

import assert from "node:assert/strict";
import { namesOfModule, namesOfShader } from "./declared_names.ts";

const tour = new URL("../../docs/tour.md", import.meta.url);

/** A file that the tour links to, and the names after the link. */
interface Place {
  readonly path: string;
  readonly names: readonly string[];
}

const link = /\[[^\]]+\]\(([^)#]+)\)((?:,?(?: |\n {2})`[^`]+`)*)/g;
const span = /`([^`\n]+)`/g;

const placesOf = (section: string): Place[] =>
  [...section.matchAll(link)].map(([, path, names]) => ({
    path: path!,
    names: [...names!.matchAll(span)].map(([, name]) => name!),
  }));

/** What is wrong with a page: missing files, and names that no file declares. */
async function problems(text: string): Promise<string[]> {
  const found: string[] = [];
  for (const section of text.replaceAll(/^```[^]*?^```$/gm, "").split(/^## /m)) {
    const declared = new Set<string>();
    for (const { path, names } of placesOf(section)) {
      const own = await namesOf(path);
      if (!own) found.push(`no file ${path}`);
      for (const name of own ?? []) declared.add(name);
      for (const name of names) if (own && !own.has(name)) found.push(`no ${name} in ${path}`);
    }
    for (const [, name] of section.replaceAll(link, "").matchAll(span)) {
      if (!declared.has(name!) && !name!.startsWith("./run ")) found.push(`no ${name} in its section`);
    }
  }
  return found;
}

/** The names that a file declares, by its path from the page. Undefined if there is no such file. */
async function namesOf(path: string): Promise<Set<string> | undefined> {
  try {
    const text = await Deno.readTextFile(new URL(path, tour));
    return path.endsWith(".wgsl") ? namesOfShader(text) : namesOfModule(text);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

Deno.test("every file and every name of the tour is there", async () => {
  const text = await Deno.readTextFile(tour);
  assert.deepEqual(await problems(text), []);
  const places = text.split(/^## /m).flatMap(placesOf);
  assert(places.length > 60 && places.flatMap(({ names }) => names).length > 90);
});

Deno.test("a name or a file that is not there is found, in a list and in a sentence", async () => {
  const sampler = "[jem/sampler.ts](../src/jem/sampler.ts)";
  const cases: readonly (readonly [text: string, ...problems: string[]])[] = [
    [`- ${sampler} \`Sampler.draw\`,\n  \`Sampler.#noise\`\n\nThen \`ChainInputs\`.`],
    [`- ${sampler} \`Sampler.draws\``, "no Sampler.draws in ../src/jem/sampler.ts"],
    // A file does not declare what it imports, mentions in a comment, or has as a parameter or inside a function.
    [`- ${sampler} \`fillNormal\``, "no fillNormal in ../src/jem/sampler.ts"],
    [`- ${sampler} \`SADA\``, "no SADA in ../src/jem/sampler.ts"],
    [`- ${sampler} \`recorded\``, "no recorded in ../src/jem/sampler.ts"],
    [`- ${sampler} \`ReplayBuffer.draw\``, "no ReplayBuffer.draw in ../src/jem/sampler.ts"],
    ["- [x.ts](../src/jem/x.ts) `x`", "no file ../src/jem/x.ts"],
    [`## One\n\n- ${sampler}\n\n## Two\n\nThen \`Sampler\`.`, "no Sampler in its section"],
    [
      "- [sgld_step.wgsl](../shaders/chains/sgld_step.wgsl) `main`, `stepSize`, `image`, `moved`",
      "no moved in ../shaders/chains/sgld_step.wgsl",
    ],
  ];
  for (const [text, ...expected] of cases) assert.deepEqual(await problems(text), expected, text);
});
