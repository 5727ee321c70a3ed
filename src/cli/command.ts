/** Shared by all commands: the places of files, exit statuses, one-line errors, usage. */

import { relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { ConfigurationError, SadaJemError } from "../errors.ts";
import { escapedLines } from "../formats/text.ts";
import { hangupOption, ignoreHangup } from "./signals.ts";

/** A command line that is not understood. */
export class UsageError extends SadaJemError {
  override name = "UsageError";
}

/** Exit statuses: success, failure, wrong usage, interrupted. */
export const exitStatus = { success: 0, failure: 1, usage: 2, interrupted: 130 } as const;

/** One of the commands. */
export interface Command {
  /** Printed by `--help`. */
  readonly help: string;
  /**
   * Printed by `--help=SUBJECT`, if there are subjects. One of them is `options`: those of the configuration.
   * @throws {UsageError} if there is no such subject.
   */
  helpOn?(subject: string): string;
  /** Does the work and returns the exit status. */
  run(args: readonly string[]): Promise<number>;
}

const helpOption = "--help=";

/**
 * Runs a command and ends the process. Every user error ends in one line; `--debug` adds the stack trace. Every command
 * also knows {@link hangupOption}.
 */
export async function execute(command: Command): Promise<never> {
  const args = Deno.args.filter((argument) => argument !== hangupOption);
  if (args.length < Deno.args.length) ignoreHangup();
  goWhereStarted();
  if (args.includes("--help") || args.includes("-h")) {
    print(command.help.trim());
    Deno.exit(exitStatus.success);
  }
  try {
    requireNoneEmpty(args);
    const subject = args.find((argument) => argument.startsWith(helpOption))?.slice(helpOption.length);
    if (subject === undefined) Deno.exit(await command.run(args));
    if (!command.helpOn) throw new UsageError("--help takes no value");
    print(command.helpOn(subject));
    Deno.exit(exitStatus.success);
  } catch (error) {
    const { message, status } = describe(error);
    printFailure(`error: ${message.replaceAll(/\s*\n\s*/g, " ")}`);
    if (status === exitStatus.usage) printError(hint(command, error));
    if (args.includes("--debug") && error instanceof Error) printError(error.stack ?? "");
    Deno.exit(status);
  }
}

/** Where to read on after wrong usage of a command. */
function hint({ helpOn }: Command, error: unknown): string {
  return helpOn && error instanceof ConfigurationError
    ? `${helpOption}options lists the options of the configuration`
    : "--help lists the options";
}

/**
 * An empty path or value usually comes from a shell variable that was never set, and the system's message about it
 * names nothing.
 */
function requireNoneEmpty(args: readonly string[]): void {
  const empty = args.findIndex((arg) => arg === "" || /^--[\w-]+=$/.test(arg));
  if (empty < 0) return;
  const before = args[empty] === "" ? args[empty - 1] ?? "" : args[empty]!.slice(0, -1);
  const option = before.startsWith("--") ? before : "an argument";
  throw new UsageError(`${option} is empty; give it a path or a value`);
}

/** A task runs in the project's folder. The paths that its user types are relative to the folder they are in. */
function goWhereStarted(): void {
  const name = { name: "env", variable: "INIT_CWD" } as const;
  if (Deno.permissions.querySync(name).state !== "granted") return;
  const folder = Deno.env.get(name.variable);
  if (folder) Deno.chdir(folder);
}

/**
 * The path of a folder that belongs to the project, such as `runs`; relative if the current folder is the project's.
 */
export function projectPath(name: string): string {
  const path = relative(Deno.cwd(), fileURLToPath(new URL(`../../${name}`, import.meta.url)));
  return path.startsWith("..") ? resolve(path) : path;
}

let silent = false;

/**
 * Keeps this process from printing, except for the error that ends a command. In a job of several processes, rank 0
 * prints for all.
 */
export function silence(): void {
  silent = true;
}

/** Prints lines to standard error even after {@link silence}. */
export function printFailure(lines: string): void {
  silent = false;
  printError(lines);
}

/** Prints lines to standard output. Names in them cannot colour the terminal, move its cursor or reverse text. */
export function print(lines: string): void {
  // deno-lint-ignore no-console -- the commands are where this project prints
  whileRead(() => console.log(escapedLines(lines)));
}

/** Prints lines to standard error, like {@link print}. */
export function printError(lines: string): void {
  // deno-lint-ignore no-console -- the commands are where this project prints
  whileRead(() => console.error(escapedLines(lines)));
}

/**
 * Writes to standard output or error, unless this process is silent or its terminal or reader is gone, which must not
 * end work in progress.
 */
export function whileRead(write: () => void): void {
  if (silent) return;
  try {
    write();
  } catch (error) {
    const isGone = error instanceof Deno.errors.BrokenPipe ||
      (error instanceof Error && /\(os error 5\)/.test(error.message));
    if (!isGone) throw error;
  }
}

function describe(error: unknown): { message: string; status: number } {
  if (error instanceof UsageError || error instanceof ConfigurationError) {
    return { message: error.message, status: exitStatus.usage };
  }
  if (error instanceof SadaJemError) return { message: error.message, status: exitStatus.failure };
  if (isOptionError(error)) return { message: firstSentence(error.message), status: exitStatus.usage };
  if (isSystemError(error)) return { message: error.message, status: exitStatus.failure };
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { message: `internal error, please report it: ${message}`, status: exitStatus.failure };
}

/** An error that `parseArgs` throws for options that it does not know or cannot read. */
function isOptionError(error: unknown): error is Error {
  return error instanceof Error && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");
}

/** A file that is missing, must not be touched, or does not fit on the disk. */
function isSystemError(error: unknown): error is Error {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied ||
    error instanceof Deno.errors.NotCapable || error instanceof Deno.errors.AlreadyExists ||
    error instanceof Deno.errors.NotADirectory || error instanceof Deno.errors.IsADirectory ||
    (error instanceof Error && /\(os error \d+\)/.test(error.message));
}

function firstSentence(message: string): string {
  return message.split(/\. /)[0]!.replace(/\.$/, "");
}

/**
 * An option's value as an integer.
 * @throws {UsageError} if it is not one, or below `minimum`.
 */
export function wholeNumber(option: string, text: string | undefined, minimum = 0): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= minimum) return value;
  throw new UsageError(`${option} takes a whole number of at least ${minimum}, not "${text}"`);
}

/**
 * An option's value as a number above 0.
 * @throws {UsageError} if it is not one.
 */
export function positiveNumber(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value) && value > 0) return value;
  throw new UsageError(`${option} takes a number above 0, not "${text}"`);
}
