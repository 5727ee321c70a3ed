/** The `package.json` of the npm package. */

import configuration from "../deno.json" with { type: "json" };

/** A module of the package that others import, with its declarations. */
export interface Entry {
  readonly types: string;
  readonly default: string;
}

/**
 * What those who use the package may need besides: the oldest TypeScript that is tested, WebGPU's types where
 * `lib.dom.d.ts` does not have them, and a WebGPU where there is none, which is in Node.
 */
const optionalPeers = { "@webgpu/types": "^0.1.74", typescript: ">=5.9", webgpu: ">=0.6.2" } as const;

/** The file that a page without a bundler loads, and the one with the kernels alone. */
export const bundles = { ".": "sada-jem.min.js", "./kernels": "kernels.min.js" } as const;

/**
 * The contents of `package.json`.
 * @param entries by the names of the package's exports
 * @param modules texts of all modules; what these import are the dependencies
 * @param page the repository's page, if it is known
 */
export function manifest(
  entries: Readonly<Record<keyof typeof bundles, Entry>>,
  modules: readonly string[],
  page: string | undefined,
): string {
  const { name, version, license } = configuration;
  const minified = Object.entries(bundles).map(([entry, file]) =>
    [`./${file}`, { types: entries[entry as keyof typeof bundles].types, default: `./${file}` }] as const
  );
  const contents = {
    name,
    version,
    description: "Joint energy-based models with SADA-JEM training, and their WGSL kernels, on WebGPU",
    keywords: [
      "webgpu",
      "wgsl",
      "deep-learning",
      "autodiff",
      "tensor",
      "energy-based-model",
      "jem",
      "langevin-dynamics",
      "sgld",
      "convolution",
      "winograd",
    ],
    license,
    ...(page && {
      homepage: `${page}#readme`,
      bugs: { url: `${page}/issues` },
      repository: { type: "git", url: `git+${page}.git` },
    }),
    type: "module",
    sideEffects: false,
    exports: {
      ...entries,
      ...Object.fromEntries(minified),
      "./shaders/*": "./shaders/*",
      "./package.json": "./package.json",
    },
    unpkg: `./${bundles["."]}`,
    jsdelivr: `./${bundles["."]}`,
    files: ["lib", "shaders", "docs", "*.min.js", "*.min.js.LICENSE.txt"],
    engines: { node: ">=20" },
    dependencies: dependenciesOf(modules),
    peerDependencies: optionalPeers,
    peerDependenciesMeta: Object.fromEntries(
      Object.keys(optionalPeers).map((peer) => [peer, { optional: true }]),
    ),
  };
  return JSON.stringify(contents, null, 2) + "\n";
}

/** The packages that modules import, in versions that may be newer than the pinned ones. */
function dependenciesOf(modules: readonly string[]): Record<string, string> {
  const imports: Readonly<Record<string, string>> = configuration.imports;
  const imported = new Set(
    modules.flatMap((text) =>
      [...text.matchAll(/^import .* from "([^."][^"]*)";$/gm)].map((match) => match[1]!)
    ),
  );
  return Object.fromEntries(
    [...imported].sort().map((specifier) => [specifier, imports[specifier]!.replace(/^npm:.*@/, "^")]),
  );
}
