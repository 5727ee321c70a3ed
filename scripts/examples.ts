import * as esbuild from "esbuild";
import { fileURLToPath } from "node:url";
import { denoPackages } from "../web/tools/packages.ts";

const folder = new URL("../examples/", import.meta.url);

/** The examples that are web pages, and the modules of their scripts. */
export const pages = { image_filter: "image_filter", sample: "sample_page", texture: "texture" } as const;

/** The library from its sources, by the names that it has in other programs. */
const library: esbuild.Plugin = {
  name: "library",
  setup: (build) => {
    build.onResolve({ filter: /^sada-jem(\/kernels)?$/ }, ({ path }) => ({
      path: fileURLToPath(import.meta.resolve(path)),
    }));
  },
};

/**
 * Builds the examples' pages, which need no server: a browser opens them from the disk. It also builds `sample.mjs`, the
 * program for Node, which finds the library and other packages where npm has installed them.
 * @param target an existing folder
 */
export async function buildExamples(target: URL): Promise<void> {
  await esbuild.build({
    entryPoints: Object.entries(pages).map(([page, module]) => ({
      out: page,
      in: fileURLToPath(new URL(`${module}.ts`, folder)),
    })),
    outdir: fileURLToPath(target),
    plugins: [library, denoPackages],
    bundle: true,
    format: "iife",
    target: "es2022",
    loader: { ".wgsl": "text" },
  });
  await esbuild.build({
    entryPoints: [{ out: "sample", in: fileURLToPath(new URL("sample.ts", folder)) }],
    outdir: fileURLToPath(target),
    outExtension: { ".js": ".mjs" },
    bundle: true,
    format: "esm",
    platform: "node",
    packages: "external",
    target: "node22",
  });
  await esbuild.stop();
  for (const page of Object.keys(pages)) {
    await Deno.copyFile(new URL(`${page}.html`, folder), new URL(`${page}.html`, target));
  }
}
