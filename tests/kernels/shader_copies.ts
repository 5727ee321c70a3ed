/**
 * Finds copies in shaders that have drifted apart. WGSL has no includes, so each shader contains its own copy of shared
 * code.
 */

import {
  functionsOf,
  globalsOf,
  type ShaderFunction,
  structuresOf,
  withoutAliases,
} from "../../scripts/wgsl.ts";

/** Shader texts by path. */
export type Shaders = ReadonlyMap<string, string>;

/** A function that differs from functions of the same name and types in other shaders, and the reason. */
export interface Exception {
  /** Name and types: `scale(vec4f, f32)`. */
  readonly what: string;
  readonly shader: string;
  readonly reason: string;
}

/** A function that is the same in several shaders although it uses their own declarations, or a structure. */
export interface Copies {
  /** Name and types of a function as written, `scale(vec4f, f32)`, or `struct Name`. */
  readonly what: string;
  readonly shaders: readonly string[];
}

/** A function or structure in a shader. */
interface Part {
  readonly shader: string;
  /** As {@link Copies.what}. */
  readonly what: string;
  /** The same with resolved types. Parts with different signatures are not copies of each other. */
  readonly signature: string;
  /** Its code, independent of parameter names and layout. */
  readonly text: string;
  /** Whether it uses only types and functions of its shader. */
  readonly isPure: boolean;
}

/**
 * Functions of the same name and types that use only types and functions of their shaders, and still differ.
 * @returns what is wrong, one line for each such function and each exception that is not needed
 */
export function differingFunctions(shaders: Shaders, exceptions: readonly Exception[]): string[] {
  const pure = partsOf(shaders).filter(({ isPure }) => isPure);
  const isException = ({ what, shader }: Part) =>
    exceptions.some((exception) => exception.what === what && exception.shader === shader);
  const groups = Map.groupBy(pure, ({ signature }) => signature);
  const differing = [...groups.values()].flatMap((parts) =>
    difference(parts.filter((part) => !isException(part)))
  );
  const isNeeded = ({ what, shader }: Exception) =>
    [...groups.values()].some((parts) => {
      const excepted = parts.find((part) => part.what === what && part.shader === shader);
      const others = parts.filter((part) => !isException(part));
      return excepted && others.length > 0 && others.every(({ text }) => text !== excepted.text);
    });
  const needless = exceptions.filter((exception) => !isNeeded(exception));
  return [
    ...differing,
    ...needless.map(({ what, shader }) => `${what} of ${shader} needs no exception`),
  ];
}

/**
 * Copies in the table that differ or are gone, and copies that are not in the table.
 * @returns what is wrong, one line each
 */
export function differingCopies(shaders: Shaders, table: readonly Copies[]): string[] {
  const parts = partsOf(shaders).filter(({ isPure }) => !isPure);
  const listed = table.flatMap((copies) => {
    const found = parts.filter(({ what, shader }) => what === copies.what && copies.shaders.includes(shader));
    const gone = copies.shaders.filter((shader) => found.every((part) => part.shader !== shader));
    return [...gone.map((shader) => `${copies.what} is not in ${shader}`), ...difference(found)];
  });
  const isListed = ({ what, shader }: Part) =>
    table.some((copies) => copies.what === what && copies.shaders.includes(shader));
  const same = Map.groupBy(parts, ({ what, text }) => `${what} ${text}`);
  const unlisted = [...same.values()].filter((copies) => copies.length > 1 && !copies.every(isListed));
  return [
    ...listed,
    ...unlisted.map((copies) =>
      `${copies[0]!.what} is the same in ${shadersOf(copies)}: put it into the table`
    ),
  ];
}

/** Constants of the same name with different values, inside or outside functions. */
export function differingConstants(shaders: Shaders): string[] {
  const constants = [...shaders].flatMap(([shader, wgsl]) =>
    [...wgsl.matchAll(/^ *const (\w+)(?:: \w+)? = (.*);/gm)].map(([, name, value]) => ({
      shader,
      what: `const ${name}`,
      text: value!,
    }))
  );
  return [...Map.groupBy(constants, ({ what }) => what).values()].flatMap(difference);
}

/** One line if the parts are not all the same. */
function difference(parts: readonly Pick<Part, "shader" | "what" | "text">[]): string[] {
  const versions = [...Map.groupBy(parts, ({ text }) => text).values()];
  return versions.length > 1 ? [`${parts[0]!.what} differs: ${versions.map(shadersOf).join(" | ")}`] : [];
}

function shadersOf(parts: readonly Pick<Part, "shader">[]): string {
  return [...new Set(parts.map(({ shader }) => shader))].join(", ");
}

/** All structures except uniform buffers, and all functions except entry points. */
function partsOf(shaders: Shaders): Part[] {
  return [...shaders].flatMap(([shader, wgsl]) => {
    const structures = [...structuresOf(wgsl)].map(([name, fields]) => ({
      name,
      fields: fields.map(([field, type]) => `${field}: ${type}`).join(", "),
    }));
    const globals = globalsOf(wgsl);
    const meaning = (types: string) =>
      structures.reduce(
        (text, { name, fields }) => text.replaceAll(new RegExp(`\\b${name}\\b`, "g"), `{${fields}}`),
        withoutAliases(wgsl, types),
      );
    return [
      ...structures.filter(({ name }) => name !== "Shape").map(({ name, fields }): Part => {
        const what = `struct ${name}`;
        return { shader, what, signature: what, text: fields, isPure: false };
      }),
      ...functionsOf(wgsl).filter(({ workgroupSize }) => workgroupSize === undefined).map((given): Part => {
        const { name, parameters, result = "" } = given;
        const types = `(${parameters.map(([, type]) => type).join(", ")})`;
        const signature = `${name}${meaning(`${types} ${result}`)}`;
        const isPure = freeNames(given).isDisjointFrom(globals);
        return { shader, what: name + types, signature, text: `${result} ${canonical(given)}`, isPure };
      }),
    ];
  });
}

/** Names that a function's body uses but does not declare, except fields. */
function freeNames({ parameters, body }: ShaderFunction): Set<string> {
  const used = [...body.matchAll(/(?<!\.)\b[a-zA-Z]\w*/g)].map(([name]) => name);
  const declared = [...body.matchAll(/\b(?:let|var|const) (\w+)/g)].map(([, name]) => name!);
  return new Set(used).difference(new Set([...declared, ...parameters.map(([name]) => name)]));
}

/** The tokens of a function's body, with its parameters numbered. */
function canonical({ parameters, body }: ShaderFunction): string {
  const numbered = parameters.reduce(
    (text, [name], i) => text.replaceAll(new RegExp(`(?<!\\.)\\b${name}\\b`, "g"), () => `$${i}`),
    body,
  );
  const tokens = [...numbered.matchAll(/\w+|[^\s\w]/g)].map(([token]) => token).join(" ");
  // A list over several lines ends with a comma.
  return tokens.replaceAll(", )", ")");
}
