/**
 * Builds the npm package: ES modules without any Deno API, type declarations, the shaders as they are, and all of it
 * bundled in a file for pages without a bundler.
 */

import * as esbuild from "esbuild";
import { gzipSync } from "fflate";
import { fileURLToPath } from "node:url";
// Its packages must be in Deno's cache, where their declarations are read.
import "../src/mod.ts";
import { denoPackages, npmFolder } from "../web/tools/packages.ts";
import { declarations } from "./declarations.ts";
import { shaderPaths } from "./launchers.ts";
import { bundles, manifest } from "./manifest.ts";
import { packedDocument, type PublishedFiles } from "./packed_document.ts";

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

/** Shaders become shorter texts. */
const shortShaders: esbuild.Plugin = {
  name: "short shaders",
  setup: (build) => {
    build.onLoad({ filter: /\.wgsl$/ }, async ({ path }) => ({
      contents: compactWgsl(await Deno.readTextFile(path)),
      loader: "text",
    }));
  },
};

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
  },
};

/** WGSL without comments, indentation and empty lines. */
export function compactWgsl(wgsl: string): string {
  return wgsl.replaceAll(/\/\/.*|\/\*[^]*?\*\//g, "").replaceAll(/^\s+|[ \t]+$/gm, "");
}

/**
 * Builds the package.
 * @param target an existing folder, whose files of the same names are replaced
 * @param published where the repository can be read, if that is known
 */
export async function buildPackage(target: URL, published?: PublishedFiles): Promise<void> {
  const modules = await buildModules(target);
  await buildBundles(target);
  await esbuild.stop();
  const types = declarations(Object.values(entries).map((path) => fileURLToPath(new URL(path, root))));
  for (const [path, text] of types) await write(fileURLToPath(new URL(`lib/${path}`, target)), text);
  for (const path of await shaderPaths()) await copy(`shaders/${path}`, target);
  await copy("LICENSE", target);
  await write(
    fileURLToPath(new URL("package.json", target)),
    manifest(packageEntries(), modules, published?.page),
  );
  await writeDocuments(target, published);
}

/** Writes the modules one by one, and returns their texts. */
async function buildModules(target: URL): Promise<string[]> {
  const { outputFiles } = await esbuild.build({
    ...common,
    entryPoints: await reachableSources(),
    outbase: "src",
    outdir: fileURLToPath(new URL("lib", target)),
    packages: "external",
    plugins: [shortShaders, separateModules],
  });
  for (const { path, contents } of outputFiles) await write(path, contents);
  return outputFiles.map(({ text }) => text);
}

/** Writes each entry point with all that it needs in one file, and the licences of the packages in it beside it. */
async function buildBundles(target: URL): Promise<void> {
  for (const [entry, file] of Object.entries(bundles)) {
    const { outputFiles, metafile } = await esbuild.build({
      ...common,
      entryPoints: [entries[entry as keyof typeof entries]],
      outfile: fileURLToPath(new URL(file, target)),
      minify: true,
      legalComments: "none",
      metafile: true,
      plugins: [shortShaders, denoPackages],
    });
    const licences = await licencesOf(Object.keys(metafile.inputs));
    const note = licences === "" ? "" : `/*! Licences of the packages in this file: ${file}.LICENSE.txt */\n`;
    await write(fileURLToPath(new URL(file, target)), note + outputFiles[0]!.text);
    if (licences) await write(fileURLToPath(new URL(`${file}.LICENSE.txt`, target)), licences);
  }
}

/** The licences of the packages that modules belong to. */
async function licencesOf(modules: readonly string[]): Promise<string> {
  const folders = new Set(modules.map((path) => npmFolder(fileURLToPath(new URL(path, root)))));
  folders.delete(undefined);
  const texts = [...folders].sort().map(async (folder) => {
    const { name, version } = JSON.parse(await Deno.readTextFile(`${folder}/package.json`));
    return `${name} ${version}\n\n${(await Deno.readTextFile(`${folder}/LICENSE`)).trim()}\n`;
  });
  return (await Promise.all(texts)).join("\n\n");
}

/** The module and the declarations of each entry point. */
function packageEntries() {
  const of = (source: string) => {
    const module = source.replace(/^src\/(.*)\.ts$/, "./lib/$1");
    return { types: `${module}.d.ts`, default: `${module}.js` };
  };
  return { ".": of(entries["."]), "./kernels": of(entries["./kernels"]) };
}

/** Writes the README and the documents in `docs/`, with links that work from the package. */
async function writeDocuments(target: URL, published: PublishedFiles | undefined): Promise<void> {
  const documents = ["README.md"];
  for await (const { name } of Deno.readDir(new URL("docs/", root))) {
    if (name.endsWith(".md")) documents.push(`docs/${name}`);
  }
  const packed = new Set([
    ...documents,
    "LICENSE",
    ...(await shaderPaths()).map((path) => `shaders/${path}`),
  ]);
  for (const path of documents) {
    const text = await Deno.readTextFile(new URL(path, root));
    await write(fileURLToPath(new URL(path, target)), packedDocument(path, text, packed, published));
  }
}

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

/** Size of a bundle in bytes, as it is and compressed. */
export interface BundleSize {
  readonly minified: number;
  readonly gzip: number;
}

/**
 * What programs that use the package add to a page: each bundled and minified.
 * @param target where the package was built
 * @param programs by name
 * @throws {Error} if a bundle would need another package.
 */
export async function bundleSizes<Name extends string>(
  target: URL,
  programs: Readonly<Record<Name, string>>,
): Promise<Record<Name, BundleSize>> {
  const names = Object.keys(programs) as Name[];
  const { dependencies } = JSON.parse(await Deno.readTextFile(new URL("package.json", target)));
  const { outputFiles, metafile } = await esbuild.build({
    ...common,
    external: Object.keys(dependencies),
    minify: true,
    metafile: true,
    entryPoints: names.map((name, i) => ({ in: `program:${name}`, out: String(i) })),
    outdir: "unused",
    plugins: [inMemory(programs, fileURLToPath(target))],
  });
  await esbuild.stop();
  const external = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
  if (external.length > 0) throw new Error(`a bundle needs ${external.join(", ")}`);
  const sizes = new Map(
    outputFiles.map(({ path, contents }) => [path.replace(/^.*\//, ""), sizeOf(contents)]),
  );
  const entries = names.map((name, i) => [name, sizes.get(`${i}.js`)!] as const);
  return Object.fromEntries(entries) as Record<Name, BundleSize>;
}

/** Programs that are no files, in a folder where npm would install what they import. */
function inMemory(programs: Readonly<Record<string, string>>, resolveDir: string): esbuild.Plugin {
  return {
    name: "programs in memory",
    setup: (build) => {
      build.onResolve({ filter: /^program:/ }, ({ path }) => ({
        path: path.replace("program:", ""),
        namespace: "program",
      }));
      build.onLoad({ filter: /.*/, namespace: "program" }, ({ path }) => ({
        contents: programs[path]!,
        resolveDir,
      }));
    },
  };
}

/** Size of a file's contents. */
function sizeOf(contents: Uint8Array): BundleSize {
  return { minified: contents.length, gzip: gzipSync(contents, { level: 9 }).length };
}

/**
 * All sizes that users are told: of what programs add to a page, and of the bundles.
 * @param target where the package was built
 */
export async function packageSizes(target: URL): Promise<Record<string, BundleSize>> {
  const sizes: Record<string, BundleSize> = await bundleSizes(target, programs);
  for (const file of Object.values(bundles)) sizes[file] = sizeOf(await Deno.readFile(new URL(file, target)));
  return sizes;
}

/** The sizes as the build prints them. */
export function sizeTable(sizes: Readonly<Record<string, BundleSize>>): string {
  const kilobytes = (bytes: number) => `${Math.round(bytes / 1000)} kB`.padStart(9);
  const lines = Object.entries(sizes).map(([name, { minified, gzip }]) =>
    `${name.padEnd(22)} ${kilobytes(minified)} ${kilobytes(gzip)}`
  );
  return [`${"".padEnd(22)}  minified      gzip`, ...lines].join("\n");
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
