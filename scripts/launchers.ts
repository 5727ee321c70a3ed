import ts from "typescript";
import * as kernels from "../src/kernels/mod.ts";
import type { Kernel } from "../src/kernels/kernel.ts";

const folder = new URL("../src/kernels/", import.meta.url);

/** A kernel with what its source says about it. */
export interface Launcher {
  /** Name of the export, for example `conv2dForward`. */
  readonly name: string;
  /** Name of the source file without its ending. */
  readonly file: string;
  readonly kernel: Kernel<never>;
  readonly description: string;
  /** What the launcher demands of a shape, if it does. */
  readonly demands: string | undefined;
  readonly cost: string;
  /** TypeScript. */
  readonly example: string;
}

/**
 * All kernels with their doc comments, file by file.
 * @throws {Error} if one is not exported by the module, or its comment lacks the cost or an example.
 */
export async function launchers(): Promise<Launcher[]> {
  const files: string[] = [];
  for await (const { name } of Deno.readDir(folder)) files.push(name);
  const found: Launcher[] = [];
  for (const name of files.sort()) {
    const source = ts.createSourceFile(
      name,
      await Deno.readTextFile(new URL(name, folder)),
      ts.ScriptTarget.ESNext,
      true,
    );
    for (const statement of source.statements) {
      if (isKernel(statement)) found.push(launcher(statement, name.replace(/\.ts$/, "")));
    }
  }
  return found;
}

/** Whether a statement exports a kernel: a constant whose type is `Kernel<…>`, or that of another one. */
function isKernel(statement: ts.Statement): statement is ts.VariableStatement {
  if (!ts.isVariableStatement(statement)) return false;
  const exported = statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
  const type = statement.declarationList.declarations[0]?.type?.getText() ?? "";
  return exported === true && /^(Kernel<|typeof |Conv2d)/.test(type);
}

function launcher(statement: ts.VariableStatement, file: string): Launcher {
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
  return {
    name,
    file,
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
function textOf(comment: string | ts.NodeArray<ts.JSDocComment> | undefined): string {
  if (comment === undefined || typeof comment === "string") return comment ?? "";
  return comment.map((part) => ts.isJSDocLink(part) ? `\`${part.name?.getText() ?? ""}\`` : part.text).join(
    "",
  );
}

function oneLine(text: string): string {
  return text.trim().replaceAll(/\s+/g, " ");
}
