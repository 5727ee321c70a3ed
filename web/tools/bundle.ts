import { build, stop } from "esbuild";
import { fileURLToPath } from "node:url";
import { denoPackages } from "./packages.ts";
import { scripts } from "./scripts.ts";

const root = new URL("../../", import.meta.url);

/** Files that are served as they are, by where they lie. */
const copies = [
  "web/index.html",
  "web/style.css",
  "web/icon.svg",
  "data/models/digits.safetensors",
  "data/digits/digits.csv.gz",
];

/**
 * The page as static files, by name: any web server can serve them from any folder.
 * @throws {Error} with esbuild's messages if the sources do not compile.
 */
export async function bundlePage(): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const path = (name: string) => fileURLToPath(new URL(name, root));
  const { outputFiles } = await build({
    entryPoints: Object.entries(scripts).map(([out, source]) => ({ out, in: path(source) })),
    outdir: "/",
    bundle: true,
    format: "esm",
    splitting: true,
    chunkNames: "shared-[hash]",
    minify: true,
    target: "es2022",
    loader: { ".wgsl": "text" },
    plugins: [denoPackages],
    logLevel: "silent",
    write: false,
  });
  await stop();
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const file of outputFiles) files.set(file.path.slice(1), new Uint8Array(file.contents));
  for (const copy of copies) {
    files.set(copy.slice(copy.lastIndexOf("/") + 1), await Deno.readFile(path(copy)));
  }
  return files;
}
