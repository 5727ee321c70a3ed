import { execute, exitStatus } from "../../src/cli/command.ts";
import { helpOf } from "../programs.ts";

/** Runs a program of `bench/programs/` with its arguments, as a command: errors end in one line. */
export async function bench(name: string, run: (args: readonly string[]) => Promise<void>): Promise<never> {
  return await execute({
    help: helpOf(name),
    async run(args) {
      await run(args);
      return exitStatus.success;
    },
  });
}
