import type { Plugin } from "esbuild";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

/** The folder in Deno's cache of the npm package that a file belongs to, if any: registry, name, version. */
export function npmFolder(file: string): string | undefined {
  return /^(.*\/registry\.npmjs\.org\/(?:@[^/]+\/)?[^/]+\/[^/]+)\//.exec(file)?.[1];
}

/**
 * Lets esbuild find the npm packages pinned in `deno.json` where Deno keeps them, and choose a package's entry point
 * for browsers, where Deno would take the one for Node.
 */
export const denoPackages: Plugin = {
  name: "deno-packages",
  setup(build) {
    build.onResolve(
      { filter: /^[@a-z]/, namespace: "file" },
      async ({ path, kind, importer, pluginData }) => {
        if (kind === "entry-point" || pluginData === denoPackages) return undefined;
        const file = npmFolder(importer) ? createRequire(importer).resolve(path) : await pinned(path);
        const folder = npmFolder(file);
        if (!folder) return { errors: [{ text: `${path} is no npm package of deno.json` }] };
        const found = await build.resolve(folder, { kind, resolveDir: folder, pluginData: denoPackages });
        // A folder has no entry point if its package names only exports, which Deno has resolved.
        return found.errors.length > 0 ? { path: file } : found;
      },
    );
  },
};

/** Where Deno keeps the package that `deno.json` pins by a name. It fetches a package at its first import. */
async function pinned(name: string): Promise<string> {
  await import(name);
  return fileURLToPath(new URL(import.meta.resolve(name)));
}
