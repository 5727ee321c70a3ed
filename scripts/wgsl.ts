/** Reads what a shader's entry point uses, from WGSL written as in `shaders/`: every function ends with a brace at the start of a line. */

/** A storage buffer. */
export interface StorageBuffer {
  readonly binding: number;
  readonly access: "read" | "read_write";
  /** For example `array<vec4f>`. */
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
  readonly buffers: readonly StorageBuffer[];
  readonly overrides: readonly Override[];
  /** Invocations of a workgroup. */
  readonly invocations: number;
  /** Bytes of workgroup memory. */
  readonly workgroupBytes: number;
}

/** The comment that a shader begins with, without its slashes. */
export function headerOf(wgsl: string): string {
  const lines = wgsl.split("\n");
  const end = lines.findIndex((line) => !line.startsWith("//"));
  return lines.slice(0, end).map((line) => line.replace(/^\/\/ ?/, "")).join("\n");
}

/** Names of a shader's entry points. */
export function entryPointsOf(wgsl: string): string[] {
  return [...wgsl.matchAll(/@compute @workgroup_size\([^)]*\)\s*fn (\w+)/g)].map((match) => match[1]!);
}

/**
 * What an entry point uses.
 * @throws {Error} if the shader has no such entry point, or declares something that is not understood.
 */
export function entryPoint(wgsl: string, name: string): EntryPoint {
  const size = new RegExp(`@workgroup_size\\(([^)]*)\\)\\s*fn ${name}\\b`).exec(wgsl)?.[1];
  if (size === undefined) throw new Error(`no entry point ${name}`);
  const uses = usesOf(wgsl, name);
  const declared = (pattern: RegExp) => [...wgsl.matchAll(pattern)].filter((match) => uses(match[1]!));
  return {
    buffers: [...wgsl.matchAll(/@binding\((\d+)\) var<storage, (read|read_write)> (\w+): (.*);/g)]
      .filter(([, , , variable]) => uses(variable!))
      .map(([, binding, access, , type]) => ({
        binding: Number(binding),
        access: access as StorageBuffer["access"],
        type: type!,
      })),
    overrides: declared(/^override (\w+): (\w+) = (.*);/gm)
      .map(([, name, type, initial]) => ({ name: name!, type: type!, initial: initial! })),
    invocations: size.split(",").reduce((product, extent) => product * Number(extent), 1),
    workgroupBytes: declared(/^var<workgroup> (\w+): (.*);/gm)
      .reduce((sum, [, , type]) => sum + arrayBytes(type!), 0),
  };
}

/** Whether a name occurs in an entry point or a function that it calls, directly or not. */
function usesOf(wgsl: string, entry: string): (name: string) => boolean {
  const functions = new Map(
    [...wgsl.matchAll(/^fn (\w+)\([^]*?^\}/gm)].map((
      [text, name],
    ) => [name!, text.replaceAll(/\/\/.*/g, "")]),
  );
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

function arrayBytes(type: string): number {
  const [, element, count] = /^array<(f32|u32|vec4f), (\d+)>$/.exec(type) ?? [];
  if (count === undefined) throw new Error(`workgroup variable of type ${type}`);
  return Number(count) * (element === "vec4f" ? 16 : 4);
}
