import type { Captured } from "./capture/capture.ts";
import { outputOf, ToolError } from "./tools.ts";

/** What a driver's compiler says about a pipeline. */
export interface Executable {
  /** The same as in its `RecordedPipeline`. */
  readonly pipeline: string;
  readonly index: number;
  /** Invocations that run in step. */
  readonly subgroup: number;
  /** By the driver's own names. */
  readonly statistics: Readonly<Record<string, number>>;
}

/** @throws {ToolError} if the driver has no statistic with that name. */
export function statistic({ statistics }: Executable, name: string): number {
  const value = statistics[name];
  if (value === undefined) throw new ToolError(`this version of Mesa says nothing of "${name}"`);
  return value;
}

/** A driver and its results for pipelines. */
export interface Compilation {
  /** Name and version, such as `radv Mesa 25.0.7-2+deb13u1`. */
  readonly driver: string;
  readonly executables: readonly Executable[];
}

/**
 * Compiles captured pipelines on the driver that the environment selects.
 * @param replay the program that compiles them
 * @param folder the captured pipelines
 * @param out gets the assembly and other representations
 * @throws {ToolError} if the driver does not know the GPU, or refuses a pipeline.
 */
export async function compilePipelines(
  replay: string,
  { pipelines }: Captured,
  folder: string,
  out: string,
  env: Readonly<Record<string, string>>,
): Promise<Compilation> {
  await Deno.mkdir(out, { recursive: true });
  const numbers = [...new Set(pipelines.map(({ number }) => number))];
  const files = numbers.map((number) => `${folder}/${number}.txt`);
  const result = await outputOf(replay, [out, ...files], {
    env: { MESA_SHADER_CACHE_DISABLE: "true", ...env },
  });
  if (!result?.success) {
    throw new ToolError(lastLine(result?.errors ?? "") || "the compiler ended without a word");
  }
  const [device, ...lines] = result.output.trim().split("\n").map((line) => JSON.parse(line));
  const refused = lines.find(({ error }) => error !== undefined);
  if (refused) {
    const { label } = pipelines.find(({ number }) => number === refused.pipeline)!;
    throw new ToolError(`${device.driver} refuses ${label}: VkResult ${refused.error}`);
  }
  return { driver: `${device.driver} ${device.version}`, executables: lines };
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1)!;
}
