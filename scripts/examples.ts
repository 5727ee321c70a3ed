import * as esbuild from "esbuild";
import { fileURLToPath } from "node:url";

const folder = new URL("../examples/", import.meta.url);

/** The examples that are web pages. */
export const pages = ["image_filter", "texture"] as const;

/**
 * Builds the examples' pages, which need no server: a browser opens them from the disk.
 * @param target an existing folder
 */
export async function buildExamples(target: URL): Promise<void> {
  await esbuild.build({
    entryPoints: pages.map((page) => fileURLToPath(new URL(`${page}.ts`, folder))),
    outdir: fileURLToPath(target),
    alias: { "sada-jem/kernels": fileURLToPath(new URL("../src/kernels/mod.ts", import.meta.url)) },
    bundle: true,
    format: "iife",
    target: "es2022",
    loader: { ".wgsl": "text" },
  });
  await esbuild.stop();
  for (const page of pages) {
    await Deno.copyFile(new URL(`${page}.html`, folder), new URL(`${page}.html`, target));
  }
}
