/** The C programs of this bench. gcc builds them when they are needed. */

import { fileURLToPath } from "node:url";
import { SadaJemError } from "../../src/errors.ts";
import { driverFile } from "./drivers.ts";

/** What was built. */
export interface Tools {
  /** Folder of the Vulkan layer that writes pipelines to files. */
  readonly layerFolder: string;
  /** The program that compiles such files. */
  readonly replay: string;
}

/** The layer's name for the Vulkan loader, as in `dump_layer.json`. */
export const layerName = "VK_LAYER_SADA_JEM_dump";

/** A package is missing, or something cannot be built. */
export class ToolError extends SadaJemError {
  override name = "ToolError";
}

const sources = fileURLToPath(new URL("c", import.meta.url));

/** Runs a program and returns what it printed, or nothing if it is not installed. */
export async function outputOf(
  program: string,
  args: readonly string[],
  options: { readonly env?: Record<string, string>; readonly cwd?: string } = {},
): Promise<{ success: boolean; output: string; errors: string } | undefined> {
  try {
    const { success, stdout, stderr } = await new Deno.Command(program, { args: [...args], ...options })
      .output();
    const [output, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    return { success, output: output!, errors: errors! };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Missing Debian packages: gcc, the headers of Vulkan, and Mesa's drivers. */
export async function missingPackages(): Promise<string[]> {
  const gcc = await outputOf("gcc", ["-E", "-include", "stdio.h", "-xc", "/dev/null"]);
  const hasDrivers = driverFile("radeon") !== undefined && driverFile("lvp") !== undefined;
  return [
    ...gcc?.success ? [] : ["gcc", "libc6-dev"],
    ...await isFile("/usr/include/vulkan/vk_layer.h") ? [] : ["libvulkan-dev"],
    ...hasDrivers ? [] : ["mesa-vulkan-drivers"],
  ];
}

/** Whether there is a file. */
async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** @throws {ToolError} if packages are missing; it says how to install them. */
export async function requirePackages(): Promise<void> {
  const missing = await missingPackages();
  if (missing.length === 0) return;
  throw new ToolError(`Debian's packages are missing: apt-get install ${missing.join(" ")}`);
}

/**
 * Builds the layer and the program in a folder.
 * @throws {ToolError} if gcc cannot.
 */
export async function buildTools(folder: string): Promise<Tools> {
  await Deno.mkdir(folder, { recursive: true });
  await build(
    "dump_layer.c",
    ...["-O1", "-shared", "-fPIC", "-fvisibility=hidden"],
    ...["-o", `${folder}/libdump_layer.so`, `${sources}/dump_layer.c`],
  );
  await Deno.copyFile(`${sources}/dump_layer.json`, `${folder}/dump_layer.json`);
  const replay = `${folder}/replay`;
  await build("replay.c", "-O1", "-o", replay, `${sources}/replay.c`, "-lvulkan");
  return { layerFolder: folder, replay };
}

/**
 * Runs gcc.
 * @param what names the thing that is built, for the message
 * @throws {ToolError} if it cannot.
 */
export async function build(what: string, ...args: string[]): Promise<void> {
  const result = await outputOf("gcc", args);
  if (result?.success) return;
  throw new ToolError(`gcc cannot build ${what}: ${result?.errors ?? "it is not installed"}`);
}
