/** The npm package as its users get it: built, packed, installed into a plain project, type-checked, run and bundled. */

import assert from "node:assert/strict";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as kernels from "../../src/kernels/mod.ts";
import { buildPackage, bundleSize, compactWgsl, programs, root } from "../../scripts/package.ts";
import { command, npmProblem } from "./npm.ts";

/** Largest transfers (gzip) in bytes: of any one kernel, and of each program. */
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
};

/** Compilers and the settings with which they accept the package, as the README names them. */
const compilers = [
  { typescript: "5.9.3", types: ["@webgpu/types"], skipLibCheck: false },
  { typescript: "6.0.3", types: [], skipLibCheck: false },
  { typescript: "7.0.2", types: [], skipLibCheck: false },
  // Both define WebGPU then, each in its own way.
  { typescript: "6.0.3", types: ["@webgpu/types"], skipLibCheck: true },
  { typescript: "7.0.2", types: ["@webgpu/types"], skipLibCheck: true },
] as const;

/** The folder of a compiler, several of which are installed side by side. */
const compilerFolder = (version: string) => `typescript-${version[0]}`;

/** A project's settings for one of the compilers. */
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
      const versions = [...new Set(compilers.map(({ typescript }) => typescript))];
      await command("npm", [
        ...["install", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"],
        ...[`./${filename}`, "@webgpu/types@0.1.74", "enhanced-resolve@5.27.0"],
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

Deno.test("the package names the oldest TypeScript and WebGPU's types that it is tested with", async () => {
  const { peerDependencies, peerDependenciesMeta } = JSON.parse(
    await Deno.readTextFile(new URL("package.json", target)),
  );
  const oldest = compilers[0].typescript.replace(/\.\d+$/, "");
  assert.deepEqual(peerDependencies, { "@webgpu/types": "^0.1.74", typescript: `>=${oldest}` });
  for (const name of Object.keys(peerDependencies)) assert(peerDependenciesMeta[name].optional, name);
});

Deno.test("the package's modules use no Deno and no Node API", async () => {
  for (const path of await filesUnder(new URL("lib/", target))) {
    if (!path.endsWith(".js")) continue;
    assert.doesNotMatch(await Deno.readTextFile(path), /\bDeno\.|["']node:|\bprocess\.\w/, path);
  }
});

for (const [name, program] of Object.entries(programs)) {
  Deno.test(`a page that uses ${name} stays within the budget`, async () => {
    const { minified, gzip } = await bundleSize(target, program);
    const budget = budgets[name as keyof typeof programs];
    assert(gzip < budget, `${gzip} bytes of gzip, ${minified} minified; at most ${budget}`);
  });
}

Deno.test("a bundle holds the code of what it uses and nothing else", async () => {
  const use = (name: string) => `import { ${name} } from "sada-jem/kernels"; globalThis.kernel = ${name};`;
  const small = await bundleSize(target, use("add"));
  assert(small.minified < 2000, `${small.minified} bytes`);
  for (const [name, value] of Object.entries(kernels)) {
    if (typeof value !== "object") continue;
    const { gzip } = await bundleSize(target, use(name));
    assert(gzip < budgets["one kernel"], `${name}: ${gzip} bytes of gzip`);
  }
});

Deno.test("compactWgsl() leaves out comments, indentation and empty lines", () => {
  const wgsl = "// One\n\nfn main() { // two\n  let x = 6 / 2; /* three\n four */\n  y = x;\n}\n";
  assert.equal(compactWgsl(wgsl), "fn main() {\nlet x = 6 / 2;\ny = x;\n}\n");
});

async function filesUnder(folder: URL): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) paths.push(...await filesUnder(new URL(`${name}/`, folder)));
    else paths.push(fileURLToPath(new URL(name, folder)));
  }
  return paths;
}
