import { execute, exitStatus } from "../../src/cli/command.ts";
import { helpOf } from "../programs.ts";

/** Runs a program of `bench/programs/` with its arguments, as a command whose errors end in one line. */
export async function bench(name: string, run: (args: readonly string[]) => Promise<void>): Promise<never> {
  return await execute({
    help: helpOf(name),
    async run(args) {
      // It belongs to the command.
      await run(args.filter((argument) => argument !== "--debug"));
      return exitStatus.success;
    },
  });
}
