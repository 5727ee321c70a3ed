/**
 * Finds copies in shaders that have drifted apart. WGSL has no includes, so what several shaders need stands in each of
 * them.
 */

import {
  functionsOf,
  globalsOf,
  type ShaderFunction,
  structuresOf,
  withoutAliases,
} from "../../scripts/wgsl.ts";

/** Texts of shaders by their paths. */
export type Shaders = ReadonlyMap<string, string>;

/** A function that differs from those of the same name and types in other shaders, and why. */
export interface Exception {
  /** Name and types: `scale(vec4f, f32)`. */
  readonly what: string;
  readonly shader: string;
  readonly reason: string;
}

/** What is the same in several shaders, though it uses what each of them declares for itself, or is a structure. */
export interface Copies {
  /** Name and types of a function as they are written, `scale(vec4f, f32)`, or `struct Name`. */
  readonly what: string;
  readonly shaders: readonly string[];
}

/** A function or structure in one of the shaders. */
interface Part {
  readonly shader: string;
  /** As {@link Copies.what}. */
  readonly what: string;
  /** The same with what the types stand for: parts with different ones are no copies of each other. */
  readonly signature: string;
  /** What it says, whatever its parameters are called and however it is laid out. */
  readonly text: string;
  /** Whether it uses nothing of its shader but types and functions. */
  readonly isPure: boolean;
}

/**
 * Functions of the same name and types that use nothing of their shaders but types and functions, and differ.
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
 * Copies that the table names and that differ or are gone, and copies that it does not name.
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

/** Constants of the same name that have different values, in functions or outside. */
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

/** All structures but uniform buffers', and all functions but entry points. */
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

/** Names that a function's body uses and does not declare, but for fields. */
function freeNames({ parameters, body }: ShaderFunction): Set<string> {
  const used = [...body.matchAll(/(?<!\.)\b[a-zA-Z]\w*/g)].map(([name]) => name);
  const declared = [...body.matchAll(/\b(?:let|var|const) (\w+)/g)].map(([, name]) => name!);
  return new Set(used).difference(new Set([...declared, ...parameters.map(([name]) => name)]));
}

/** The words and signs of a function's body, its parameters numbered. */
function canonical({ parameters, body }: ShaderFunction): string {
  const numbered = parameters.reduce(
    (text, [name], i) => text.replaceAll(new RegExp(`(?<!\\.)\\b${name}\\b`, "g"), () => `$${i}`),
    body,
  );
  const tokens = [...numbered.matchAll(/\w+|[^\s\w]/g)].map(([token]) => token).join(" ");
  // A list that is broken into lines ends with a comma.
  return tokens.replaceAll(", )", ")");
}
