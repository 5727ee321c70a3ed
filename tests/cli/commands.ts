/** Runs the commands as a user does, with the permissions that their tasks name. */

import { projectFolder, taskArguments } from "../../scripts/tasks.ts";
import { openGLWarning } from "../../src/cli/adapter.ts";

/** What a command printed, and its exit status. */
export interface Outcome {
  readonly status: number;
  readonly output: string;
  readonly errors: string;
}

/** Starts a command in the background. */
export function start(task: string, ...args: string[]): Deno.ChildProcess {
  return startIn(projectFolder, task, args);
}

/** Runs a command to its end. */
export async function run(task: string, ...args: string[]): Promise<Outcome> {
  return await outcome(start(task, ...args));
}

/** Runs a command in a folder. */
export async function runIn(folder: string, task: string, ...args: string[]): Promise<Outcome> {
  return await outcome(startIn(folder, task, args));
}

/** Runs a command on one of Deno's backends, as the variable `DENO_WEBGPU_BACKEND` names them. */
export async function runOn(backend: string, task: string, ...args: string[]): Promise<Outcome> {
  return await outcome(startIn(projectFolder, task, args, { DENO_WEBGPU_BACKEND: backend }));
}

/** Runs a command of a copy of the project in a folder. */
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
 * Error lines of the program itself, without what the Vulkan loader and Deno write to the same stream, nor that OpenGL is
 * in use.
 */
export function ownErrors({ errors }: Outcome): string[] {
  return errors.split("\n").filter((line) =>
    line !== "" && line !== openGLWarning && !/XDG_RUNTIME_DIR|^Download /.test(line)
  );
}
