/** Builds the npm package: ES modules without any Deno API, type declarations, and the shaders as they are. */

import * as esbuild from "esbuild";
import { gzipSync } from "fflate";
import { fileURLToPath } from "node:url";
// Its packages must be in Deno's cache, where their declarations are read.
import "../src/mod.ts";
import { declarations } from "./declarations.ts";
import { shaderPaths } from "./launchers.ts";

/** The project's folder. */
export const root = new URL("../", import.meta.url);

/** Entry points of the package, by the names of its exports. */
const entries = { ".": "src/mod.ts", "./kernels": "src/kernels/mod.ts" } as const;

/** Options of all builds. Browsers with WebGPU know ES2022; `using`, which is newer, is translated. */
const common = {
  absWorkingDir: fileURLToPath(root),
  bundle: true,
  format: "esm",
  target: "es2022",
  loader: { ".wgsl": "text" },
  write: false,
} as const satisfies esbuild.BuildOptions;

/**
 * Every module becomes its own file, so that bundlers drop what is not used. A module contains its shader.
 */
const separateModules: esbuild.Plugin = {
  name: "separate modules",
  setup: (build) => {
    build.onResolve(
      { filter: /^\..*\.ts$/ },
      ({ path, kind }) =>
        kind === "entry-point" ? undefined : { path: path.replace(/\.ts$/, ".js"), external: true },
    );
    build.onLoad({ filter: /\.wgsl$/ }, async ({ path }) => ({
      contents: compactWgsl(await Deno.readTextFile(path)),
      loader: "text",
    }));
  },
};

/** WGSL without comments, indentation and empty lines. */
export function compactWgsl(wgsl: string): string {
  return wgsl.replaceAll(/\/\/.*|\/\*[^]*?\*\//g, "").replaceAll(/^\s+|[ \t]+$/gm, "");
}

/**
 * Builds the package.
 * @param target an existing folder, whose files of the same names are replaced
 */
export async function buildPackage(target: URL): Promise<void> {
  const sources = await reachableSources();
  const { outputFiles } = await esbuild.build({
    ...common,
    entryPoints: sources,
    outbase: "src",
    outdir: fileURLToPath(new URL("lib", target)),
    packages: "external",
    plugins: [separateModules],
  });
  await esbuild.stop();
  for (const { path, contents } of outputFiles) await write(path, contents);
  const types = declarations(Object.values(entries).map((path) => fileURLToPath(new URL(path, root))));
  for (const [path, text] of types) await write(fileURLToPath(new URL(`lib/${path}`, target)), text);
  for (const path of await shaderPaths()) await copy(`shaders/${path}`, target);
  for (const path of ["LICENSE", "README.md", "docs/kernels.md"]) await copy(path, target);
  await write(
    fileURLToPath(new URL("package.json", target)),
    await manifest(outputFiles.map(({ text }) => text)),
  );
}

/**
 * What the declarations need from those who check types: the oldest TypeScript that is tested, and WebGPU's types where
 * `lib.dom.d.ts` does not have them.
 */
const declarationPeers = {
  peerDependencies: { "@webgpu/types": "^0.1.74", typescript: ">=5.9" },
  peerDependenciesMeta: { "@webgpu/types": { optional: true }, typescript: { optional: true } },
} as const;

/** Paths of all modules that the entry points need. */
async function reachableSources(): Promise<string[]> {
  const { metafile } = await esbuild.build({
    ...common,
    entryPoints: Object.values(entries),
    outdir: "unused",
    packages: "external",
    metafile: true,
  });
  return Object.keys(metafile.inputs).filter((path) => path.endsWith(".ts"));
}

/** The package's `package.json`. Dependencies are the packages that its modules import. */
async function manifest(modules: readonly string[]): Promise<string> {
  const { name, version, license, imports } = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", root)),
  );
  const imported = new Set(
    modules.flatMap((text) =>
      [...text.matchAll(/^import .* from "([^."][^"]*)";$/gm)].map((match) => match[1]!)
    ),
  );
  const dependencies = Object.fromEntries(
    [...imported].sort().map((specifier) => [specifier, imports[specifier].replace(/^npm:.*@/, "^")]),
  );
  const exports = Object.fromEntries(
    Object.entries(entries).map(([entry, source]) => {
      const module = source.replace(/^src\/(.*)\.ts$/, "./lib/$1");
      return [entry, { types: `${module}.d.ts`, default: `${module}.js` }];
    }),
  );
  const contents = {
    name,
    version,
    description: "Joint energy-based models with SADA-JEM training, and their WGSL kernels, on WebGPU",
    keywords: ["webgpu", "wgsl", "energy-based model", "convolution", "langevin dynamics"],
    license,
    type: "module",
    sideEffects: false,
    exports: { ...exports, "./shaders/*": "./shaders/*" },
    files: ["lib", "shaders", "docs"],
    dependencies,
    ...declarationPeers,
  };
  return JSON.stringify(contents, null, 2) + "\n";
}

/** Size of a bundle in bytes, as it is and compressed. */
export interface BundleSize {
  readonly minified: number;
  readonly gzip: number;
}

/**
 * What a program that uses the package adds to a page: the program, bundled and minified.
 * @param target where the package was built
 * @throws {Error} if the bundle would need another package.
 */
export async function bundleSize(target: URL, program: string): Promise<BundleSize> {
  const { dependencies } = JSON.parse(await Deno.readTextFile(new URL("package.json", target)));
  const { outputFiles, metafile } = await esbuild.build({
    ...common,
    external: Object.keys(dependencies),
    minify: true,
    metafile: true,
    stdin: { contents: program, resolveDir: fileURLToPath(target) },
  });
  await esbuild.stop();
  const external = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
  if (external.length > 0) throw new Error(`the bundle needs ${external.join(", ")}`);
  const { contents } = outputFiles[0]!;
  return { minified: contents.length, gzip: gzipSync(contents, { level: 9 }).length };
}

/** Programs whose size is measured. */
export const programs = {
  "one kernel": `
    import { conv2dForward } from "sada-jem/kernels";
    globalThis.kernel = conv2dForward;`,
  "inference and sampling": `
    import {
      conditionalScore, Context, generate, Gpu, inferArchitecture, InformativeInitialisation, modelState, evaluation,
      parseSafetensors, restoreModel, softmaxCrossEntropy, streamWords, unconditionalScore, UniformInitialisation,
      WideResNet,
    } from "sada-jem";
    globalThis.model = {
      conditionalScore, Context, generate, Gpu, inferArchitecture, InformativeInitialisation, modelState, evaluation,
      parseSafetensors, restoreModel, softmaxCrossEntropy, streamWords, unconditionalScore, UniformInitialisation,
      WideResNet,
    };`,
} as const;

async function write(path: string, contents: string | Uint8Array): Promise<void> {
  await Deno.mkdir(path.replace(/[^/]*$/, ""), { recursive: true });
  await Deno.writeFile(path, typeof contents === "string" ? new TextEncoder().encode(contents) : contents);
}

async function copy(path: string, target: URL): Promise<void> {
  await write(fileURLToPath(new URL(path, target)), await Deno.readFile(new URL(path, root)));
}
