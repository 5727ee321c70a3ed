import ts from "typescript";
import { fileURLToPath } from "node:url";
import { oneLine, textOf } from "./launchers.ts";

/** A field of the shape that a kernel's launcher takes. */
export interface ShapeField {
  readonly name: string;
  readonly optional: boolean;
  /** In TypeScript: `number`, `boolean` or the alternatives, such as `2 | 4`. */
  readonly type: string;
  /** Its doc comment; empty if it has none. */
  readonly comment: string;
}

/**
 * The fields of every kernel's shape, in the order of their declaration, those of the types it extends first.
 * @param module path of the module that exports the kernels
 * @returns fields by the kernels' exported names
 */
export function kernelShapes(
  module: string = fileURLToPath(new URL("../src/kernels/mod.ts", import.meta.url)),
): Map<string, ShapeField[]> {
  // Shapes need no more of the library than `Pick` and its like, and the rest takes longer to read than the kernels.
  const options: ts.CompilerOptions = { strict: true, lib: ["lib.es5.d.ts"], types: [] };
  const program = ts.createProgram([module], options);
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(module);
  const symbol = source && checker.getSymbolAtLocation(source);
  if (!symbol) throw new Error(`${module} is no module`);
  const shapes = new Map<string, ShapeField[]>();
  for (const exported of checker.getExportsOfModule(symbol)) {
    const shape = shapeOf(checker, checker.getTypeOfSymbol(original(checker, exported)));
    if (shape) shapes.set(exported.name, fieldsOf(checker, shape));
  }
  return shapes;
}

/** What another module exports under a symbol. */
function original(checker: ts.TypeChecker, symbol: ts.Symbol): ts.Symbol {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

/** The type of a kernel's shape, which is what its method `constants` takes; undefined for anything but a kernel. */
function shapeOf(checker: ts.TypeChecker, type: ts.Type): ts.Type | undefined {
  const constants = type.getProperty("constants");
  const [method] = constants ? checker.getTypeOfSymbol(constants).getCallSignatures() : [];
  const [shape] = method?.parameters ?? [];
  return shape && checker.getTypeOfSymbol(shape);
}

function fieldsOf(checker: ts.TypeChecker, shape: ts.Type): ShapeField[] {
  const fields: ShapeField[] = [];
  for (const name of new Set(namesOf(checker, shape))) {
    const property = checker.getPropertyOfType(shape, name);
    // `Omit` has left out what its argument has.
    if (property) fields.push(field(checker, property));
  }
  return fields;
}

function field(checker: ts.TypeChecker, property: ts.Symbol): ShapeField {
  const optional = (property.flags & ts.SymbolFlags.Optional) !== 0;
  const type = checker.getTypeOfSymbol(property);
  const given = optional ? checker.getNonNullableType(type) : type;
  const comments = property.declarations?.flatMap((node) => ts.getJSDocCommentsAndTags(node)) ?? [];
  return {
    name: property.name,
    optional,
    // Not the name of a union, but its alternatives
    type: checker.typeToString(given, undefined, ts.TypeFormatFlags.InTypeAlias),
    comment: oneLine(textOf(comments.find(ts.isJSDoc)?.comment)),
  };
}

/** Names of a type's fields, and perhaps others. By itself the checker lists what an interface extends last. */
function namesOf(checker: ts.TypeChecker, type: ts.Type): string[] {
  return [
    ...typesBehind(checker, type).flatMap((behind) => namesOf(checker, behind)),
    ...checker.getPropertiesOfType(type).map(({ name }) => name),
  ];
}

/** The types from which a type takes fields: parts of an intersection, what it extends, arguments of `Pick` or `Omit`. */
function typesBehind(checker: ts.TypeChecker, type: ts.Type): readonly ts.Type[] {
  if (type.isIntersection()) return type.types;
  if (type.isClassOrInterface()) return checker.getBaseTypes(type);
  return type.aliasTypeArguments?.filter(({ flags }) => flags & ts.TypeFlags.Object) ?? [];
}
