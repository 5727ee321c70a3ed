import type { Captured } from "./capture/capture.ts";
import { outputOf, ToolError } from "./tools.ts";

/** What a driver's compiler says of a pipeline. */
export interface Executable {
  /** As in a `RecordedPipeline`. */
  readonly pipeline: string;
  readonly index: number;
  /** Invocations that run in step. */
  readonly subgroup: number;
  /** By the driver's own names. */
  readonly statistics: Readonly<Record<string, number>>;
}

/** @throws {ToolError} if the driver has no statistic of that name. */
export function statistic({ statistics }: Executable, name: string): number {
  const value = statistics[name];
  if (value === undefined) throw new ToolError(`this version of Mesa says nothing of "${name}"`);
  return value;
}

/** A driver and what it made of pipelines. */
export interface Compilation {
  /** Name and version, such as `radv Mesa 25.0.7-2+deb13u1`. */
  readonly driver: string;
  readonly executables: readonly Executable[];
}

/**
 * Compiles captured pipelines on the driver that the environment chooses.
 * @param replay the program for it
 * @param folder where they were captured
 * @param out where assembly and other representations go
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
