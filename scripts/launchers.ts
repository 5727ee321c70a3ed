import ts from "typescript";
import * as kernels from "../src/kernels/mod.ts";
import type { Kernel } from "../src/kernels/kernel.ts";

const sources = new URL("../src/kernels/", import.meta.url);
const shaders = new URL("../shaders/", import.meta.url);

/** The families of kernels: folders that `src/kernels/` and `shaders/` both have, in the order of the documentation. */
export const families = [
  "conv2d",
  "winograd",
  "norm",
  "vector",
  "reduce",
  "matmul",
  "pool",
  "loss",
  "random",
  "chains",
  "optimiser",
  "attack",
  "images",
] as const;

/** A kernel with what its source says about it. */
export interface Launcher {
  /** Name of the export, for example `conv2dForward`. */
  readonly name: string;
  /** Path of the source file below `src/kernels/`, without its ending: `conv2d/forward`. */
  readonly file: string;
  /** Path of the shader below `shaders/`: `conv2d/staged.wgsl`. */
  readonly shader: string;
  readonly kernel: Kernel<never>;
  readonly description: string;
  /** The launcher's condition on a shape, if it has one. */
  readonly demands: string | undefined;
  readonly cost: string;
  /** TypeScript. */
  readonly example: string;
}

/**
 * All kernels with their doc comments, family by family and file by file.
 * @throws {Error} if one is not exported by the module, its shader is not a file, or its comment lacks the cost or an
 *   example.
 */
export async function launchers(): Promise<Launcher[]> {
  const paths = await pathsByText();
  const found: Launcher[] = [];
  for (const file of await filesOfFamilies(sources)) {
    const text = await Deno.readTextFile(new URL(file, sources));
    const source = ts.createSourceFile(file, text, ts.ScriptTarget.ESNext, true);
    for (const statement of source.statements) {
      if (isKernel(statement)) found.push(launcher(statement, file.replace(/\.ts$/, ""), paths));
    }
  }
  return found;
}

/** Paths of the files in a folder's families, sorted within each family. */
async function filesOfFamilies(folder: URL): Promise<string[]> {
  const files: string[] = [];
  for (const family of families) {
    const names = await Array.fromAsync(Deno.readDir(new URL(family, folder)), ({ name }) => name);
    files.push(...names.sort().map((name) => `${family}/${name}`));
  }
  return files;
}

/** Paths of all shaders below `shaders/`. */
export function shaderPaths(): Promise<string[]> {
  return filesOfFamilies(shaders);
}

/** The same by the shaders' texts, by which a kernel's shader is found. */
async function pathsByText(): Promise<Map<string, string>> {
  const entries = (await shaderPaths()).map(async (path) =>
    [await Deno.readTextFile(new URL(path, shaders)), path] as const
  );
  return new Map(await Promise.all(entries));
}

/** Whether a statement exports a kernel: a constant of type `Kernel<…>`, or of another kernel's type. */
function isKernel(statement: ts.Statement): statement is ts.VariableStatement {
  if (!ts.isVariableStatement(statement)) return false;
  const exported = statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
  const type = statement.declarationList.declarations[0]?.type?.getText() ?? "";
  return exported === true && /^(Kernel<|typeof |Conv2d)/.test(type);
}

function launcher(
  statement: ts.VariableStatement,
  file: string,
  paths: ReadonlyMap<string, string>,
): Launcher {
  const name = statement.declarationList.declarations[0]!.name.getText();
  const kernel = Object.entries(kernels).find(([key]) => key === name)?.[1];
  if (typeof kernel !== "object") throw new Error(`${name} of ${file}.ts is not exported by mod.ts`);
  const comment = ts.getJSDocCommentsAndTags(statement).find(ts.isJSDoc);
  const tag = (tagName: string) => {
    const tag = comment?.tags?.find((tag) => tag.tagName.text === tagName);
    return tag && textOf(tag.comment);
  };
  const [, example] = /```ts\n([^]*?)\n```/.exec(tag("example") ?? "") ?? [];
  const cost = tag("cost");
  if (example === undefined || cost === undefined) {
    throw new Error(`the doc comment of ${name} lacks @cost or @example`);
  }
  // The text for GPUs may be cut out of the file.
  const shader = paths.get(kernel.wgsl) ?? paths.get(kernel.variants?.software?.wgsl ?? "");
  if (shader === undefined) throw new Error(`the shader of ${name} is no file of shaders/`);
  return {
    name,
    file,
    shader,
    kernel,
    description: oneLine(textOf(comment?.comment)),
    demands: demandsOf(tag("throws")),
    cost: oneLine(cost),
    example,
  };
}

/** The condition in `{RangeError} if …` or `unless …`. */
function demandsOf(text: string | undefined): string | undefined {
  return text && oneLine(text).replace(/^\{RangeError\} */, "");
}

/** Text of a comment; links become code. */
export function textOf(comment: string | ts.NodeArray<ts.JSDocComment> | undefined): string {
  if (comment === undefined || typeof comment === "string") return comment ?? "";
  return comment.map((part) => ts.isJSDocLink(part) ? `\`${part.name?.getText() ?? ""}\`` : part.text).join(
    "",
  );
}

export function oneLine(text: string): string {
  return text.trim().replaceAll(/\s+/g, " ");
}
