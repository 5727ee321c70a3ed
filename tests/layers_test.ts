/**
 * Checks the architecture by reading the sources. Imports point down. The lower layers and everything that the web page
 * loads run in a browser. Only the commands talk to the user. GPU buffers stay where they are managed. No shader is
 * unused. The rules are the tables below. Other tests make sure that violations are found.
 */

import assert from "node:assert/strict";
import { posix } from "node:path";
import { curvesScriptSource, scripts } from "../web/tools/scripts.ts";

const bottom = ["formats", "random", "errors.ts"];
const network = ["nn", "tensor", "kernels", "gpu"];
const method = ["jem", "optim", ...network];

/** What the files of each layer may import besides their own layer. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  "errors.ts": [],
  random: ["errors.ts"],
  formats: ["errors.ts"],
  distributed: ["errors.ts"],
  gpu: ["kernels", "errors.ts"],
  kernels: [],
  tensor: ["kernels", "gpu", ...bottom],
  nn: [...network, ...bottom],
  optim: [...network, ...bottom],
  jem: [...method, "data", ...bottom],
  data: ["tensor", "kernels", "gpu", ...bottom],
  evaluate: ["distributed", ...method, "data", ...bottom],
  train: ["evaluate", "distributed", ...method, "data", ...bottom],
  report: ["train", "evaluate", "distributed", ...method, "data", ...bottom],
  "mod.ts": ["train", "evaluate", ...method, "data", ...bottom],
  cli: ["report", "train", "evaluate", "distributed", ...method, "data", ...bottom],
};

/** Layers that need no packages. With the standard WebGPU types they work in any application. */
const selfContained = ["kernels", "gpu"];

/** Layers that run in a browser unchanged. */
const browserSafe = [...method, ...bottom];

/** Names that the code of some layers must not use. Comments may use them. */
const forbidden: readonly { what: RegExp; layers: readonly string[] }[] = [
  { what: /\bDeno\./, layers: browserSafe },
  { what: /["']node:/, layers: browserSafe },
  { what: /\b(?:console\.|Deno\.args\b|Deno\.exit\b)/, layers: except("cli") },
  { what: /\bGPUBuffer\b/, layers: except("gpu", "kernels") },
  { what: /\bM(?:PI|pi)(?![a-z])\w*/, layers: except("distributed") },
];

function except(...exempt: string[]): string[] {
  return Object.keys(mayImport).filter((layer) => !exempt.includes(layer));
}

/** Violations of the rules, one line each. `sources` maps each path from the root to its text. */
function violations(sources: ReadonlyMap<string, string>, shaders: readonly string[]): string[] {
  const found: string[] = [];
  const imported = new Set<string>();
  for (const [path, text] of sources) {
    const layer = layerOf(path);
    const code = withoutComments(text);
    for (const specifier of imports(code)) {
      const target = specifier.startsWith(".") ? resolve(path, specifier) : specifier;
      imported.add(target);
      if (!allowed(layer, target) || fromCoreToOperation(path, target)) {
        found.push(`${path} must not import ${target}`);
      }
    }
    for (const { what, layers } of forbidden) {
      const [name] = (layers.includes(layer) && what.exec(code)) || [];
      if (name) found.push(`${path} must not name ${name}`);
    }
  }
  for (const shader of shaders) if (!imported.has(shader)) found.push(`${shader} is imported by no kernel`);
  return found;
}

function allowed(layer: string, target: string): boolean {
  const rule = mayImport[layer];
  if (!rule) return false;
  if (target.endsWith(".wgsl")) return layer === "kernels";
  if (!target.startsWith("src/")) return !target.includes("/../") && !selfContained.includes(layer);
  return [layer, ...rule].includes(layerOf(target));
}

/** Tensors, tape and context must not know any operation: operations are built on them. */
function fromCoreToOperation(path: string, target: string): boolean {
  const operations = "src/tensor/operations/";
  return path.startsWith("src/tensor/") && !path.startsWith(operations) && target.startsWith(operations);
}

/** The folder of `src/` that a file belongs to. For a file directly in `src/`, its own name. */
function layerOf(path: string): string {
  return path.split("/")[1]!;
}

function resolve(path: string, specifier: string): string {
  return posix.join(posix.dirname(path), specifier);
}

/** Blanks out comments. Strings are matched too, so that a comment marker inside a string does not count. */
function withoutComments(text: string): string {
  const token = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|\/\/[^\n]*|\/\*[^]*?\*\//g;
  return text.replaceAll(token, (match) => match.startsWith("/") ? " " : match);
}

function imports(code: string): string[] {
  return [...code.matchAll(/\b(?:from|import)\s*\(?\s*["']([^"']+)["']/g)].map((match) => match[1]!);
}

/** The scripts of the web pages. They import everything else that the pages load. */
const pageScripts = [...Object.values(scripts), curvesScriptSource];

/** What a page must not reach: files that name Deno or Node, commands and reports. */
function pageViolations(sources: ReadonlyMap<string, string>, entries: readonly string[]): string[] {
  const found: string[] = [];
  const reached = new Set(entries);
  for (const path of reached) {
    const code = withoutComments(sources.get(path) ?? "");
    const [name] = /\bDeno\.|["']node:/.exec(code) ?? [];
    if (name) found.push(`${path} is loaded by the page and must not name ${name}`);
    for (const specifier of runtimeImports(code)) {
      if (!specifier.startsWith(".") || !specifier.endsWith(".ts")) continue;
      const target = resolve(path, specifier);
      if (/^src\/(?:cli|report)\/|^web\/tools\//.test(target)) {
        found.push(`${path} must not import ${target}`);
      } else reached.add(target);
    }
  }
  return found;
}

/** Imports that exist at run time. Type-only imports do not. */
function runtimeImports(code: string): string[] {
  return imports(code.replaceAll(/\b(?:import|export)\s+type\b[^;]*;/g, ""));
}

async function readSources(...folders: string[]): Promise<Map<string, string>> {
  const sources = new Map<string, string>();
  for (const folder of folders) {
    for (const path of await filesUnder(folder, ".ts")) {
      sources.set(path, await Deno.readTextFile(new URL(`../${path}`, import.meta.url)));
    }
  }
  return sources;
}

async function filesUnder(folder: string, suffix: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL(`../${folder}/`, import.meta.url))) {
    const path = `${folder}/${name}`;
    if (isDirectory) paths.push(...await filesUnder(path, suffix));
    else if (name.endsWith(suffix)) paths.push(path);
  }
  return paths.sort();
}

Deno.test("the sources keep to the layers", async () => {
  const sources = await readSources("src");
  assert.ok(sources.has("src/kernels/kernel.ts"));
  assert.deepEqual(violations(sources, await filesUnder("shaders", ".wgsl")), []);
});

/** Groups of modules that import each other in a circle. Each group is a list of paths. */
function circles(sources: ReadonlyMap<string, string>): string[][] {
  const targets = new Map(
    [...sources].map(([path, text]) => [
      path,
      imports(withoutComments(text)).filter((one) => one.startsWith(".")).map((one) => resolve(path, one)),
    ]),
  );
  const reachable = (from: string) => {
    const reached = new Set<string>();
    const pending = [...targets.get(from) ?? []];
    for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
      if (reached.has(path)) continue;
      reached.add(path);
      pending.push(...targets.get(path) ?? []);
    }
    return reached;
  };
  const reached = new Map([...sources.keys()].map((path) => [path, reachable(path)]));
  const found = new Set<string>();
  for (const [path, from] of reached) {
    if (!from.has(path)) continue;
    found.add([...from].filter((other) => reached.get(other)?.has(path)).sort().join(" "));
  }
  return [...found].map((group) => group.split(" "));
}

Deno.test("no modules import each other in a circle, but tensors and what makes them", async () => {
  const core = ["context", "parameters", "tape", "tensor"].map((name) => `src/tensor/${name}.ts`);
  assert.deepEqual(circles(await readSources("src")), [core]);
  const three = new Map([
    ["src/a.ts", 'import { b } from "./b.ts";'],
    ["src/b.ts", 'import type { C } from "./c.ts";'],
    ["src/c.ts", 'export * from "./b.ts";'],
  ]);
  assert.deepEqual(circles(three), [["src/b.ts", "src/c.ts"]]);
});

Deno.test("the check of the layers finds each kind of violation, and nothing in comments and strings", () => {
  const cases: [path: string, text: string, violation: string | undefined][] = [
    ["src/tensor/a.ts", 'import { x } from "../nn/x.ts";', "must not import src/nn/x.ts"],
    [
      "src/tensor/a.ts",
      'import type { X } from "./operations/x.ts";',
      "must not import src/tensor/operations/x.ts",
    ],
    ["src/tensor/operations/a.ts", 'import { x } from "../x.ts";', undefined],
    ["src/tensor/operations/a.ts", 'export * from "../../nn/x.ts";', "must not import src/nn/x.ts"],
    ["src/jem/a.ts", 'import type { X } from "../train/x.ts";', "must not import src/train/x.ts"],
    ["src/data/a.ts", 'const x = await import("../nn/x.ts");', "must not import src/nn/x.ts"],
    ["src/nn/a.ts", 'import "../data/x.ts";', "must not import src/data/x.ts"],
    ["src/kernels/a.ts", 'import { x } from "../gpu/x.ts";', "must not import src/gpu/x.ts"],
    ["src/kernels/a.ts", 'import { x } from "zod";', "must not import zod"],
    ["src/tensor/a.ts", 'import x from "../../shaders/x.wgsl";', "must not import shaders/x.wgsl"],
    ["src/new/a.ts", 'import { x } from "../gpu/x.ts";', "must not import src/gpu/x.ts"],
    ["src/mod.ts", 'import { x } from "./cli/x.ts";', "must not import src/cli/x.ts"],
    ["src/random/a.ts", "Deno.cwd();", "must not name Deno."],
    ["src/optim/a.ts", "import 'node:fs';", "must not name 'node:"],
    ["src/train/a.ts", "console.log(1);", "must not name console."],
    ["src/train/a.ts", "Deno.args[0];", "must not name Deno.args"],
    ["src/nn/a.ts", "let x: GPUBuffer;", "must not name GPUBuffer"],
    ["src/train/a.ts", "new MpiCommunicator();", "must not name MpiCommunicator"],
    ["src/cli/a.ts", 'print("needs MPI");', "must not name MPI"],
    ["src/cli/a.ts", 'import { x } from "../distributed/x.ts"; // MPI', undefined],
    ["src/distributed/a.ts", 'print("needs MPI");', undefined],
    ["src/distributed/a.ts", 'import { x } from "../train/x.ts";', "must not import src/train/x.ts"],
    ["src/jem/a.ts", 'import { x } from "../distributed/x.ts";', "must not import src/distributed/x.ts"],
    ["src/train/a.ts", 'import { x } from "../jem/x.ts"; Deno.readFile(x);', undefined],
    ["src/cli/a.ts", 'import { x } from "../train/x.ts"; console.log(Deno.args);', undefined],
    ["src/kernels/a.ts", 'import { x } from "../errors.ts";', "must not import src/errors.ts"],
    ["src/kernels/a.ts", 'import { x } from "./x.ts";', undefined],
    ["src/random/a.ts", 'import { x } from "../errors.ts";', undefined],
    ["src/nn/a.ts", '// console.log\n/* GPUBuffer\n */ const url = "https://x"; GPUBufferUsage;', undefined],
  ];
  for (const [path, text, violation] of cases) {
    const expected = violation === undefined ? [] : [`${path} ${violation}`];
    assert.deepEqual(violations(new Map([[path, text]]), []), expected, text);
  }
  const kernel = new Map([[
    "src/kernels/a.ts",
    'import wgsl from "../../shaders/used.wgsl" with { type: "text" };',
  ]]);
  assert.deepEqual(violations(kernel, ["shaders/used.wgsl", "shaders/unused.wgsl"]), [
    "shaders/unused.wgsl is imported by no kernel",
  ]);
});

Deno.test("the web page loads nothing that needs Deno", async () => {
  const sources = await readSources("src", "web");
  for (const script of pageScripts) assert.ok(sources.has(script), script);
  assert.deepEqual(pageViolations(sources, pageScripts), []);
});

Deno.test("the check of the web page finds what is reached over several files", () => {
  const sources = new Map([
    [
      "web/page/main.ts",
      'import { a } from "../../src/train/a.ts";\nimport type { T } from "../../src/cli/t.ts";',
    ],
    ["src/train/a.ts", 'export * from "../data/b.ts"; // Deno.cwd()'],
    ["src/data/b.ts", 'import { c } from "../cli/c.ts"; await Deno.readFile("x");'],
  ]);
  assert.deepEqual(pageViolations(sources, ["web/page/main.ts"]), [
    "src/data/b.ts is loaded by the page and must not name Deno.",
    "src/data/b.ts must not import src/cli/c.ts",
  ]);
});
