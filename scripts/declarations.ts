import ts from "typescript";
import { fileURLToPath } from "node:url";
import configuration from "../deno.json" with { type: "json" };

/** Folder of the sources, with a slash at the end. */
const sources = fileURLToPath(new URL("../src/", import.meta.url));

/**
 * Type declarations of some modules and everything that they need.
 * @param entries absolute paths
 * @returns text by path below `src/`, for example `kernels/add.d.ts`
 * @throws {Error} if a declaration cannot be generated.
 */
export function declarations(entries: readonly string[]): Map<string, string> {
  const options: ts.CompilerOptions = {
    ...ts.convertCompilerOptionsFromJson(configuration.compilerOptions, "").options,
    target: ts.ScriptTarget.ESNext,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    lib: ["lib.esnext.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts"],
    types: [],
    paths: packageFolders(),
    allowImportingTsExtensions: true,
    resolveJsonModule: true,
    declaration: true,
    // `./run check` checks the types.
    noCheck: true,
    emitDeclarationOnly: true,
    rootDir: sources,
    outDir: sources,
  };
  const program = ts.createProgram(entries, options);
  const problems = program.getDeclarationDiagnostics();
  if (problems.length > 0) throw new Error(ts.formatDiagnostics(problems, formatHost));
  const texts = new Map<string, string>();
  program.emit(undefined, (path, text) => texts.set(path.slice(sources.length), finish(text)));
  return texts;
}

/** Imports name the modules of the package. Anything newer than many projects' `lib` is referenced. */
function finish(text: string): string {
  const linked = text.replaceAll(/((?:from|import\() ?"\.[^"]*)\.ts"/g, '$1.js"');
  return linked.includes("Symbol.dispose") ? `/// <reference lib="esnext.disposable" />\n${linked}` : linked;
}

/** Where the declarations of imported packages are: beside TypeScript itself in Deno's cache. */
function packageFolders(): Record<string, string[]> {
  const cache = ts.sys.getExecutingFilePath().replace(/\/typescript\/[^/]*\/lib\/[^/]*$/, "");
  const packages = Object.entries(configuration.imports).flatMap(([name, specifier]) => {
    const [, folder, version] = /^npm:([^/].*)@([^@]*)$/.exec(specifier) ?? [];
    return folder === undefined ? [] : [[name, [`${cache}/${folder}/${version}`]]];
  });
  return Object.fromEntries(packages);
}

const formatHost: ts.FormatDiagnosticsHost = {
  getCanonicalFileName: (name) => name,
  getCurrentDirectory: () => sources,
  getNewLine: () => "\n",
};
