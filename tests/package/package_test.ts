/** The npm package as its users get it: built, packed, installed in a plain project, type-checked, run and bundled. */

import assert from "node:assert/strict";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as kernels from "../../src/kernels/mod.ts";
import {
  buildPackage,
  bundleSizes,
  compactWgsl,
  packageSizes,
  programs,
  root,
  sizeTable,
} from "../../scripts/package.ts";
import { browserTest, folder as folderContent } from "../browser/chromium.ts";
import { brokenLink, linksOf } from "../markdown_links.ts";
import { command, npmProblem } from "./npm.ts";

/** Largest transfers (gzip) in bytes, for any one kernel and for each program. */
const budgets: Readonly<Record<keyof typeof programs, number>> = {
  "one kernel": 30_000,
  "inference and sampling": 80_000,
};

/** A project that uses every entry point of the package. */
const project = {
  "package.json": JSON.stringify({ type: "module", private: true }),
  "app.ts": `
    import { Context, Gpu, type Score, type Tensor, Trainer, preset, sgldChain, WideResNet } from "sada-jem";
    import { compile, conv2dForward, type Conv2dShape, type Kernel, run } from "sada-jem/kernels";

    export function encodeConvolution(device: GPUDevice, pass: GPUComputePassEncoder, shape: Conv2dShape,
      operands: Record<"input" | "weight" | "bias" | "output", GPUBuffer>): void {
      compile(device, conv2dForward, shape).bind(operands)(pass);
    }
    export async function sum(kernel: Kernel<{ length: number }, "input" | "sum">): Promise<number | undefined> {
      const contents = await run(kernel, { length: 3 }, { input: [1, 2, 3], sum: 1 });
      return contents.sum[0];
    }
    export async function open(images: Tensor): Promise<Tensor> {
      const context = new Context(await Gpu.request());
      const model = new WideResNet(context, { depth: 10, width: 1, classes: 10, channels: 1, imageSize: 8,
        norm: "batch", dropout: 0, unconditional: false }, 1);
      const score: Score = (x) => model.energyScore(x, { statistics: "running", updateRunning: false });
      return sgldChain(score, images, { steps: 3, stepSize: 1, noiseScale: 0, gradientClamp: Infinity });
    }
    export const steps: number = preset("digits").steps;
    export const train: typeof Trainer = Trainer;
    // @ts-expect-error A kernel's operands are typed.
    export const missing = run(conv2dForward, {} as Conv2dShape, { input: [1] });`,
  "use.js": `
    import { readFileSync } from "node:fs";
    import { fileURLToPath } from "node:url";
    import { preset } from "sada-jem";
    import { add, conv2dForward } from "sada-jem/kernels";
    const shader = readFileSync(fileURLToPath(import.meta.resolve("sada-jem/shaders/vector/add.wgsl")), "utf8");
    console.log(JSON.stringify({ shader, workgroups: add.workgroups({ length: 1000, factor: 1 }),
      wgsl: conv2dForward.wgsl.includes("fn forward"), seed: preset("digits").seed }));`,
  "resolve.cjs": `
    const resolve = require("enhanced-resolve").create.sync({ conditionNames: ["webpack", "import"] });
    const shader = "sada-jem/shaders/chains/sgld_step.wgsl";
    console.log(JSON.stringify([shader, shader + "?raw"].map((path) => resolve(__dirname, path))));`,
  // What npm's package linters report. CommonJS cannot import the package, and Node before 12 does not know "exports".
  "lint.js": `
    import { readFileSync } from "node:fs";
    import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
    import { publint } from "publint";
    import { formatMessage } from "publint/utils";
    const archive = Uint8Array.from(readFileSync(process.argv[2]));
    const { messages, pkg } = await publint({ pack: { tarball: archive.buffer }, strict: true });
    const { problems } = await checkPackage(createPackageFromTarballData(archive));
    const ofModules = problems.filter(({ resolutionKind }) => !["node10", "node16-cjs"].includes(resolutionKind));
    console.log(JSON.stringify([...messages.map((message) => formatMessage(message, pkg)), ...ofModules]));`,
};

/** Compilers, and the settings with which they accept the package, as in `docs/embedding.md`. */
const compilers = [
  { typescript: "5.9.3", types: ["@webgpu/types"], skipLibCheck: false },
  { typescript: "6.0.3", types: [], skipLibCheck: false },
  { typescript: "7.0.2", types: [], skipLibCheck: false },
  // Both define WebGPU in this case, each in its own way. TypeScript 6 has the same problem.
  { typescript: "7.0.2", types: ["@webgpu/types"], skipLibCheck: true },
] as const;

/** The folder of a compiler. Several compilers are installed side by side. */
const compilerFolder = (version: string) => `typescript-${version[0]}`;

const settings = ({ types, skipLibCheck }: typeof compilers[number]) =>
  JSON.stringify({
    compilerOptions: {
      strict: true,
      noUncheckedIndexedAccess: true,
      exactOptionalPropertyTypes: true,
      target: "ES2022",
      module: "ESNext",
      moduleResolution: "bundler",
      lib: ["ES2022", "DOM"],
      types,
      skipLibCheck,
      // TypeScript's own declarations need no check here, and would take most of the time.
      skipDefaultLibCheck: true,
      noEmit: true,
    },
    files: ["app.ts"],
  });

const npm = await npmProblem();

const target = pathToFileURL(`${await Deno.makeTempDir()}/`);
await buildPackage(target);
globalThis.addEventListener("unload", () => Deno.removeSync(target, { recursive: true }));

Deno.test({
  name: `the package installs, type-checks, resolves and runs in a plain Node project${
    npm ? ` (skipped: ${npm})` : ""
  }`,
  ignore: npm !== undefined,
  fn: async (t) => {
    const folder = await Deno.makeTempDir();
    try {
      for (const [name, text] of Object.entries(project)) await Deno.writeTextFile(`${folder}/${name}`, text);
      const packed = await command("npm", ["pack", fileURLToPath(target), "--json", "--silent"], folder);
      const [{ filename, files }] = JSON.parse(packed);
      const paths: string[] = files.map(({ path }: { readonly path: string }) => path);
      assert(paths.includes("lib/kernels/mod.d.ts") && paths.includes("shaders/vector/add.wgsl"));
      assert(paths.every((path) => /^(lib|shaders|docs)\/|^[^/]*$/.test(path)));
      assert(paths.includes("sada-jem.min.js") && paths.includes("sada-jem.min.js.LICENSE.txt"));
      const versions = [...new Set(compilers.map(({ typescript }) => typescript))];
      await command("npm", [
        ...["install", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"],
        ...[`./${filename}`, "@webgpu/types@0.1.74", "enhanced-resolve@5.27.0"],
        ...["publint@0.3.25", "@arethetypeswrong/core@0.18.5"],
        ...versions.map((version) => `${compilerFolder(version)}@npm:typescript@${version}`),
      ], folder);
      for (const compiler of compilers) {
        const { typescript, types, skipLibCheck } = compiler;
        const way = `${types.join() || "no types"}${skipLibCheck ? ", skipLibCheck" : ""}`;
        await t.step(`TypeScript ${typescript}, ${way}`, async () => {
          await Deno.writeTextFile(`${folder}/tsconfig.json`, settings(compiler));
          await command("node", [`node_modules/${compilerFolder(typescript)}/bin/tsc`], folder);
        });
      }
      const shader = await Deno.readTextFile(new URL("shaders/vector/add.wgsl", root));
      await t.step("Node runs it", async () => {
        const used = JSON.parse(await command("node", ["use.js"], folder));
        assert.deepEqual(used, { shader, workgroups: [4, 1, 1], wgsl: true, seed: 1 });
      });
      await t.step("publint and Are the types wrong? find nothing", async () => {
        assert.deepEqual(JSON.parse(await command("node", ["lint.js", filename], folder)), []);
      });
      await t.step("webpack's resolver finds shaders, also with a query", async () => {
        const found = JSON.parse(await command("node", ["resolve.cjs"], folder));
        const path = await Deno.realPath(`${folder}/node_modules/sada-jem/shaders/chains/sgld_step.wgsl`);
        assert.deepEqual(found, [path, `${path}?raw`]);
      });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test("the package names the oldest TypeScript, WebGPU's types and the WebGPU for Node that it is tested with", async () => {
  const { peerDependencies, peerDependenciesMeta } = await packageJson();
  const oldest = compilers[0].typescript.replace(/\.\d+$/, "");
  const expected = { "@webgpu/types": "^0.1.74", typescript: `>=${oldest}`, webgpu: ">=0.6.2" };
  assert.deepEqual(peerDependencies, expected);
  for (const name of Object.keys(expected)) assert(peerDependenciesMeta[name].optional, name);
});

Deno.test("without a known repository package.json names none, and the documents link to the package's files", async () => {
  const { repository, homepage, bugs } = await packageJson();
  assert.deepEqual([repository, homepage, bugs], [undefined, undefined, undefined]);
  let count = 0;
  for (const path of await filesUnder(target)) {
    if (!path.endsWith(".md")) continue;
    const document = path.slice(fileURLToPath(target).length);
    for (const link of linksOf(await Deno.readTextFile(path))) {
      if (/^[a-z]+:/.test(link)) continue;
      count++;
      assert.equal(await brokenLink(fileURLToPath(target), document, link), undefined);
    }
  }
  assert(count > 10, `${count} links`);
});

Deno.test("the package's modules use no Deno and no Node API", async () => {
  for (const path of await filesUnder(new URL("lib/", target))) {
    if (!path.endsWith(".js")) continue;
    assert.doesNotMatch(await Deno.readTextFile(path), /\bDeno\.|["']node:|\bprocess\.\w/, path);
  }
});

Deno.test("pages that use a kernel, or the library, stay within the budget", async () => {
  for (const [name, { minified, gzip }] of Object.entries(await bundleSizes(target, programs))) {
    const budget = budgets[name as keyof typeof programs];
    assert(gzip < budget, `${name}: ${gzip} bytes of gzip, ${minified} minified; at most ${budget}`);
  }
});

Deno.test("a bundle holds the code of what it uses and nothing else", async () => {
  const use = (name: string) => `import { ${name} } from "sada-jem/kernels"; globalThis.kernel = ${name};`;
  const names = Object.entries(kernels).flatMap(([name, value]) => typeof value === "object" ? [name] : []);
  const sizes = await bundleSizes(target, Object.fromEntries(names.map((name) => [name, use(name)])));
  assert(sizes.add!.minified < 2000, `${sizes.add!.minified} bytes`);
  for (const [name, { gzip }] of Object.entries(sizes)) {
    assert(gzip < budgets["one kernel"], `${name}: ${gzip} bytes of gzip`);
  }
});

const embedding = await Deno.readTextFile(new URL("docs/embedding.md", root));

Deno.test("docs/embedding.md tells the sizes that the build prints", async () => {
  const table = sizeTable(await packageSizes(target));
  const sizesOf = (text: string) =>
    [...text.matchAll(/^(\S.*?) +(\d+) kB +(\d+) kB$/gm)].map((
      [, name, ...sizes],
    ) => [name, ...sizes.map(Number)]);
  const [told, built] = [sizesOf(embedding), sizesOf(table)];
  assert(built.length > 3);
  const isNear = told.length === built.length &&
    built.every((row, i) =>
      row.every((value, j) => value === told[i]![j] || Math.abs(Number(value) - Number(told[i]![j])) <= 1)
    );
  assert(isNear, `./run build prints other sizes than docs/embedding.md tells:\n${table}`);
});

browserTest(
  "the page of docs/embedding.md runs in Chromium as it stands, beside the bundles",
  (path) => {
    const [, html] = /^```html\n([^]*?)^```/m.exec(embedding)!;
    if (path !== "/") return folderContent(target)(path);
    return new Response(html, { headers: { "content-type": "text/html" } });
  },
  async (page, origin) => {
    await page.goto(origin);
    await page.waitForFunction(`document.body?.textContent.includes("mean")`);
    assert.equal(await page.textContent("body"), "sum 3 4 5, mean 4");
  },
);

Deno.test("compactWgsl() leaves out comments, indentation and empty lines", () => {
  const wgsl = "// One\n\nfn main() { // two\n  let x = 6 / 2; /* three\n four */\n  y = x;\n}\n";
  assert.equal(compactWgsl(wgsl), "fn main() {\nlet x = 6 / 2;\ny = x;\n}\n");
});

/** The package's `package.json`. */
async function packageJson() {
  return JSON.parse(await Deno.readTextFile(new URL("package.json", target)));
}

async function filesUnder(folder: URL): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) paths.push(...await filesUnder(new URL(`${name}/`, folder)));
    else paths.push(fileURLToPath(new URL(name, folder)));
  }
  return paths;
}
