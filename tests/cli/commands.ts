/** Runs the commands as a user does, with the permissions of their tasks. */

import { projectFolder, taskArguments } from "../../scripts/tasks.ts";
import { openGLWarning } from "../../src/cli/adapter.ts";

/** What a command printed, and its exit status. */
export interface Outcome {
  readonly status: number;
  readonly output: string;
  readonly errors: string;
}

export function start(task: string, ...args: string[]): Deno.ChildProcess {
  return startIn(projectFolder, task, args);
}

export async function run(task: string, ...args: string[]): Promise<Outcome> {
  return await outcome(start(task, ...args));
}

export async function runIn(folder: string, task: string, ...args: string[]): Promise<Outcome> {
  return await outcome(startIn(folder, task, args));
}

/** Runs a command on one of Deno's backends, named as in the variable `DENO_WEBGPU_BACKEND`. */
export async function runOn(backend: string, task: string, ...args: string[]): Promise<Outcome> {
  return await outcome(startIn(projectFolder, task, args, { DENO_WEBGPU_BACKEND: backend }));
}

/** Runs a command from a copy of the project. */
export async function runOfCopy(
  project: string,
  folder: string,
  task: string,
  ...args: string[]
): Promise<Outcome> {
  return await outcome(startIn(folder, task, args, {}, project));
}

function startIn(
  folder: string,
  task: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  project = projectFolder,
): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: [...taskArguments(task, project), ...args],
    cwd: folder,
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1", INIT_CWD: folder, ...env },
  }).spawn();
}

/** Waits for a command's end. */
export async function outcome(process: Deno.ChildProcess): Promise<Outcome> {
  const { code, stdout, stderr } = await process.output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { status: code, output: decode(stdout), errors: decode(stderr) };
}

/**
 * The program's own error lines. The Vulkan loader and Deno write to the same stream. The note that OpenGL is in use is
 * left out too.
 */
export function ownErrors({ errors }: Outcome): string[] {
  return errors.split("\n").filter((line) =>
    line !== "" && line !== openGLWarning && !/XDG_RUNTIME_DIR|^Download /.test(line)
  );
}
