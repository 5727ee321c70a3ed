/** The names that a source file declares. */

import ts from "typescript";

/**
 * All names that a TypeScript module declares, as written: functions, classes, types, variables, and the members of
 * classes, types and objects. Members also appear with their owner's name, as in `Tape.record` and `Trainer.#upload`.
 * Parameters and declarations inside functions do not count.
 */
export function namesOfModule(text: string): Set<string> {
  const names = new Set<string>();
  const declare = (name: ts.Node | undefined, owner: string | undefined) => {
    if (!name || !(ts.isIdentifier(name) || ts.isPrivateIdentifier(name))) return;
    names.add(name.text);
    if (owner !== undefined) names.add(`${owner}.${name.text}`);
  };
  const visit = (node: ts.Node, owner: string | undefined): void => {
    if (ts.isBlock(node) || ts.isParameter(node)) return;
    const name = isDeclaration(node) ? node.name : undefined;
    declare(name, owner);
    const inside = name && ts.isIdentifier(name) ? name.text : owner;
    node.forEachChild((child) => visit(child, inside));
  };
  ts.createSourceFile("module.ts", text, ts.ScriptTarget.ESNext).forEachChild((node) =>
    visit(node, undefined)
  );
  return names;
}

function isDeclaration(node: ts.Node): node is ts.Node & { readonly name: ts.Node } {
  return ts.isFunctionDeclaration(node) || ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node) || ts.isVariableDeclaration(node) || ts.isMethodDeclaration(node) ||
    ts.isGetAccessor(node) || ts.isPropertyDeclaration(node) || ts.isPropertySignature(node) ||
    ts.isMethodSignature(node) || ts.isPropertyAssignment(node);
}

/** The functions, structures, constants and variables that a shader declares. */
export function namesOfShader(text: string): Set<string> {
  const code = text.replaceAll(/\/\/.*|\/\*[^]*?\*\//g, "");
  return new Set(
    [...code.matchAll(/^(?:@[^\n]*\s)?(?:fn|struct|override|const|var(?:<[^>]*>)?)\s+(\w+)/gm)].map((
      [, name],
    ) => name!),
  );
}
