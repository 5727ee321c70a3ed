import type { Plugin } from "esbuild";
import { fileURLToPath } from "node:url";

/** A package's folder in Deno's cache: registry, name, version. */
const packageFolder = /^(.*\/registry\.npmjs\.org\/(?:@[^/]+\/)?[^/]+\/[^/]+)\//;

/**
 * Lets esbuild find the npm packages pinned in `deno.json` where Deno keeps them, and choose a package's entry point
 * for browsers, where Deno would take the one for Node.
 */
export const denoPackages: Plugin = {
  name: "deno-packages",
  setup(build) {
    build.onResolve({ filter: /^[@a-z]/, namespace: "file" }, async ({ path, kind, pluginData }) => {
      if (kind === "entry-point" || pluginData === denoPackages) return undefined;
      // Deno fetches a package at its first import.
      await import(path);
      const file = fileURLToPath(new URL(import.meta.resolve(path)));
      const folder = packageFolder.exec(file)?.[1];
      if (!folder) return { errors: [{ text: `${path} is no npm package of deno.json` }] };
      return await build.resolve(folder, { kind, resolveDir: folder, pluginData: denoPackages });
    });
  },
};
