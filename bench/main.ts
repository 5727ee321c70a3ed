/** `./run bench NAME [ARGUMENT]...` runs a bench; without a name it lists them. */

import { projectFolder, wholeLock } from "../scripts/tasks.ts";
import { execute, exitStatus, print, UsageError } from "../src/cli/command.ts";
import { wrap } from "../src/cli/format.ts";
import { checkArguments, helpOf, type Program, programs } from "./programs.ts";

const usage = `Usage: ./run bench NAME [ARGUMENT]...

${
  Object.entries(programs).map(([name, { measures, takes }]) =>
    `  ${name.padEnd(18)}${
      [measures, `(${takes})`].map((text) => wrap(text, 80, " ".repeat(20))).join("\n").trimStart()
    }`
  ).join("\n")
}

\`./run bench NAME --help\` lists the arguments of a bench, and
bench/README.md says which decision it serves. Results are kept in
bench/results/.`;

/** Runs a program with the permissions that it needs, and returns its exit status. */
async function run(name: string, { permissions }: Program, args: readonly string[]): Promise<number> {
  const { code } = await new Deno.Command("deno", {
    args: [
      ...["run", "--quiet", `--lock=${wholeLock}`, ...permissions],
      ...[`${projectFolder}bench/programs/${name}.ts`, ...args],
    ],
    stdin: "inherit",
  }).spawn().status;
  return code;
}

const [name, ...args] = Deno.args;
const program = name !== undefined && Object.hasOwn(programs, name) ? programs[name] : undefined;
await execute({
  help: program ? helpOf(name!) : usage,
  async run() {
    if (name === undefined) {
      print(usage);
      return exitStatus.success;
    }
    if (!program) {
      throw new UsageError(`no bench is called ${name}; there are ${Object.keys(programs).join(", ")}`);
    }
    checkArguments(program, args);
    return await run(name, program, args);
  },
});
