/**
 * Finds what a shader's entry point uses, from WGSL written as in `shaders/`, where every function ends with a brace at
 * the start of a line.
 */

/** A storage or uniform buffer, or a texture. */
export interface Resource {
  readonly binding: number;
  readonly access: "read" | "read_write" | "uniform" | "texture";
  /** For example `array<vec4f>`; aliases are replaced. */
  readonly type: string;
}

/** A specialisation constant. */
export interface Override {
  readonly name: string;
  readonly type: string;
  readonly initial: string;
}

/** What an entry point uses. */
export interface EntryPoint {
  readonly resources: readonly Resource[];
  readonly overrides: readonly Override[];
  /** Invocations of a workgroup. */
  readonly invocations: number;
  /** Bytes of workgroup memory. */
  readonly workgroupBytes: number;
}

/** The comment at the start of a shader, without its slashes. */
export function headerOf(wgsl: string): string {
  const lines = wgsl.split("\n");
  const end = lines.findIndex((line) => !line.startsWith("//"));
  return lines.slice(0, end).map((line) => line.replace(/^\/\/ ?/, "")).join("\n");
}

/** Names and types, of a structure's fields or a function's parameters, in order. */
export type Typed = [name: string, type: string][];

/** A function of a shader. */
export interface ShaderFunction {
  readonly name: string;
  /** For an entry point, the extents of its workgroup as they are written. */
  readonly workgroupSize: string | undefined;
  readonly parameters: Typed;
  /** Type of the result, if there is one. */
  readonly result: string | undefined;
  /** What stands between its braces, without comments. */
  readonly body: string;
}

/** The functions of a shader, in order. */
export function functionsOf(wgsl: string): ShaderFunction[] {
  const declaration =
    /^(?:@compute @workgroup_size\((.*)\)\s+)?fn (\w+)\(([^]*?)\)(?: -> (.+))? \{$([^]*?)^\}/gm;
  return [...withoutComments(wgsl).matchAll(declaration)]
    .map(([, workgroupSize, name, parameters, result, body]) => ({
      name: name!,
      workgroupSize,
      parameters: typedIn(parameters!),
      result,
      body: body!,
    }));
}

/** The structures of a shader: their fields, by their names. */
export function structuresOf(wgsl: string): Map<string, Typed> {
  return new Map(
    [...withoutComments(wgsl).matchAll(/^struct (\w+) \{([^}]*)\}/gm)].map((
      [, name, fields],
    ) => [name!, typedIn(fields!)]),
  );
}

function withoutComments(wgsl: string): string {
  return wgsl.replaceAll(/ *\/\/.*/g, "");
}

function typedIn(text: string): Typed {
  return [...text.matchAll(/(\w+): (\w+(?:<[^:]*>)?)/g)].map(([, name, type]) => [name!, type!]);
}

/** Names of the variables, overrides and constants that a shader declares outside its functions. */
export function globalsOf(wgsl: string): Set<string> {
  const declaration = /^(?:@group\(\d+\) @binding\(\d+\) )?(?:var(?:<[^>]*>)?|override|const) (\w+)/gm;
  return new Set([...wgsl.matchAll(declaration)].map(([, name]) => name!));
}

/** Names of a shader's entry points. */
export function entryPointsOf(wgsl: string): string[] {
  return functionsOf(wgsl).filter(({ workgroupSize }) => workgroupSize !== undefined).map(({ name }) => name);
}

/**
 * What an entry point uses.
 * @throws {Error} if the shader has no such entry point, or declares something that is not understood.
 */
export function entryPoint(wgsl: string, name: string): EntryPoint {
  const size = functionsOf(wgsl).find((candidate) => candidate.name === name)?.workgroupSize;
  if (size === undefined) throw new Error(`no entry point ${name}`);
  const uses = usesOf(wgsl, name);
  const workgroupTypes = [...wgsl.matchAll(/^var<workgroup> (\w+): (.*);/gm)]
    .filter(([, variable]) => uses(variable!))
    .map(([, , type]) => withoutAliases(wgsl, type!));
  const isLength = (name: string) => workgroupTypes.some((type) => new RegExp(`\\b${name}\\b`).test(type));
  return {
    resources: [
      ...wgsl.matchAll(/@binding\((\d+)\) var(?:<(?:storage, )?(read|read_write|uniform)>)? (\w+): (.*);/g),
    ]
      .filter(([, , , variable]) => uses(variable!))
      .map(([, binding, access = "texture", , type]) => ({
        binding: Number(binding),
        access: access as Resource["access"],
        type: withoutAliases(wgsl, type!),
      })),
    overrides: [...wgsl.matchAll(/^override (\w+): (\w+) = (.*);/gm)]
      .filter(([, name]) => uses(name!) || isLength(name!))
      .map(([, name, type, initial]) => ({ name: name!, type: type!, initial: initial! })),
    invocations: size.split(",").reduce((product, extent) => product * evaluate(wgsl, extent), 1),
    workgroupBytes: workgroupTypes.reduce((sum, type) => sum + bytesOf(wgsl, type), 0),
  };
}

/** A type in which aliases are replaced; an alias may use earlier ones. */
export function withoutAliases(wgsl: string, type: string): string {
  return [...wgsl.matchAll(/^alias (\w+) = (.*);/gm)]
    .reduceRight(
      (text, [, name, meaning]) => text.replaceAll(new RegExp(`\\b${name}\\b`, "g"), meaning!),
      type,
    );
}

/** Whether a name occurs in an entry point, or in a function that it calls, directly or not. */
function usesOf(wgsl: string, entry: string): (name: string) => boolean {
  const functions = new Map(functionsOf(wgsl).map(({ name, body }) => [name, body]));
  const words = new Set([entry]);
  const pending = [entry];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    for (const [word] of functions.get(name)?.matchAll(/\w+/g) ?? []) {
      if (words.has(word)) continue;
      words.add(word);
      if (functions.has(word)) pending.push(word);
    }
  }
  return (name) => words.has(name);
}

const elementBytes = new Map([["f32", 4], ["u32", 4], ["vec2f", 8], ["vec4f", 16], ["mat4x4f", 64]]);

/** Bytes of one of these, or of an array or a structure of them whose members need no padding. */
function bytesOf(wgsl: string, type: string): number {
  const members = new RegExp(`^struct ${type} \\{\\n([^}]*)\\}`, "m").exec(wgsl)?.[1];
  if (members !== undefined) {
    const types = [...members.matchAll(/\w+: (.*),$/gm)].map(([, member]) => withoutAliases(wgsl, member!));
    return types.reduce((sum, member) => sum + bytesOf(wgsl, member), 0);
  }
  const [, element, count] = /^array<(.+), ([^,]+)>$/.exec(type) ?? [];
  if (count !== undefined) return evaluate(wgsl, count) * bytesOf(wgsl, element!);
  const bytes = elementBytes.get(type);
  if (bytes === undefined) throw new Error(`workgroup variable of type ${type}`);
  return bytes;
}

/**
 * A product of numbers, constants and overrides. Overrides count with the values that the shader gives them, which for
 * sizes of tiles are, by this project's convention, the largest that the launcher chooses.
 */
function evaluate(wgsl: string, expression: string): number {
  return expression.split("*").reduce((product, factor) => {
    const text = factor.trim();
    if (/^\d+u?$/.test(text)) return product * Number.parseInt(text);
    const value = new RegExp(`^(?:override|const) ${text}(?:: \\w+)? = (.*);`, "m").exec(wgsl)?.[1];
    if (value === undefined) throw new Error(`${text} has no value`);
    return product * evaluate(wgsl, value);
  }, 1);
}
