import { build, stop } from "esbuild";
import { fileURLToPath } from "node:url";
import { denoPackages } from "./packages.ts";
import { scripts } from "./scripts.ts";

const root = new URL("../../", import.meta.url);

/** Files that are served unchanged, by their paths. */
const copies = [
  "web/index.html",
  "web/style.css",
  "web/icon.svg",
  "data/digits/digits.csv.gz",
  "docs/images/chain.png",
  "docs/images/samples.png",
];

/** The model that the page opens first, if there is one with this name. */
const firstModel = "digits";
const modelEnding = ".safetensors";

/**
 * The page as static files, by name. Any web server can serve them from any folder. `models.json` names the bundled
 * models, without the ending; the page opens the first one.
 * @param models folder of the bundled `.safetensors` files
 * @throws {Error} with esbuild's messages if the sources do not compile.
 */
export async function bundlePage(
  models: URL = new URL("data/models/", root),
): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
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
  const names = await modelNames(models);
  files.set("models.json", new TextEncoder().encode(JSON.stringify(names)));
  for (const name of names) {
    const file = `${name}${modelEnding}`;
    files.set(file, await Deno.readFile(new URL(encodeURIComponent(file), models)));
  }
  return files;
}

async function modelNames(folder: URL): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (name.endsWith(modelEnding)) names.push(name.slice(0, -modelEnding.length));
  }
  const others = names.filter((name) => name !== firstModel).sort();
  return names.includes(firstModel) ? [firstModel, ...others] : others;
}
