/** `./run style` and `./run ok`: several checks, one after another, up to the first that fails. */

import { type Command, execute, exitStatus, UsageError } from "../src/cli/command.ts";
import { projectFolder } from "./tasks.ts";

const style = [["fmt", "--check"], ["lint"], ["task", "check"]];
const checks: Readonly<Record<string, readonly (readonly string[])[]>> = {
  style,
  ok: [...style, ["task", "test"]],
};

const command: Command = {
  help: `
Check format, lint and types (style), and then run all tests (ok), up to the first that fails.

Usage: ./run style
       ./run ok

  --help       show this text
`,
  async run([name, ...others]) {
    const steps = checks[name ?? ""];
    if (!steps || others.length > 0) throw new UsageError("style and ok take no arguments");
    for (const step of steps) {
      const { code } = await new Deno.Command("deno", { args: [...step], cwd: projectFolder }).spawn().status;
      if (code !== 0) return code;
    }
    return exitStatus.success;
  },
};

await execute(command);
