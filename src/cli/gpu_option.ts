/** The option that selects the WebGPU that a command computes on. */

import { GpuError } from "../errors.ts";
import { type Command, UsageError } from "./command.ts";
import { useDawn } from "./dawn/dawn.ts";

const option = "--gpu";
const names = ["deno", "dawn"] as const;

/**
 * A command with this option, which is applied before anything is computed. If it is given several times, the last one
 * counts. Once Dawn is loaded, the permission for FFI is given up.
 * @param task the command's task, which has a counterpart for Dawn
 * @param opensLibrary whether the command itself opens another library, and gives the permission up then
 */
export function withGpuOption(task: string, command: Command, opensLibrary = false): Command {
  const { help, run } = command;
  return {
    ...command,
    help: `${help.trim()}\n\n${helpOf(task)}`,
    async run(args) {
      const { name, others } = split(args);
      if (name === "dawn") {
        await requireLibraries(task);
        await useDawn();
        if (!opensLibrary) await Deno.permissions.revoke({ name: "ffi" });
      }
      return await run(others);
    },
  };
}

function helpOf(task: string): string {
  return `
WebGPU is Deno's own, or Dawn's, which Chromium computes on: ./run ${task}:dawn. Dawn needs a GPU or Mesa 25.

  ${option} NAME          deno or dawn (default: that of the task)
`.trim();
}

/** Removes the option from the arguments. */
function split(args: readonly string[]): { name: string | undefined; others: string[] } {
  const others: string[] = [];
  let name: string | undefined;
  for (let i = 0; i < args.length; i++) {
    const isApart = args[i] === option;
    if (!isApart && !args[i]!.startsWith(`${option}=`)) {
      others.push(args[i]!);
      continue;
    }
    const value = isApart ? args[++i] : args[i]!.slice(option.length + 1);
    name = names.find((one) => one === value);
    if (name === undefined) {
      throw new UsageError(`${option} takes ${names.join(" or ")}, not ${value ? `"${value}"` : "nothing"}`);
    }
  }
  return { name, others };
}

/** @throws {GpuError} naming the task, if libraries must not be loaded. */
async function requireLibraries(task: string): Promise<void> {
  const { state } = await Deno.permissions.query({ name: "ffi" });
  if (state === "granted") return;
  throw new GpuError(
    `Dawn is a library, which this task may not load; ${option} dawn is for: ./run ${task}:dawn`,
  );
}
