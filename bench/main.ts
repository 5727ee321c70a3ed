/** `deno task bench NAME [ARGUMENT]...` runs a bench; without a name it lists them. */

import { projectFolder, wholeLock } from "../scripts/tasks.ts";
import { helpOf, type Program, programs } from "./programs.ts";

const print = (text: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
const isHelp = (argument: string | undefined) => argument === "--help" || argument === "-h";

const usage = `Usage: deno task bench NAME [ARGUMENT]...

${
  Object.entries(programs).map(([name, { measures, takes }]) =>
    `  ${name.padEnd(18)}${measures}\n${" ".repeat(20)}(${takes})`
  ).join("\n")
}

\`deno task bench NAME --help\` lists the arguments of a bench, and bench/README.md says which decision it
serves. Results are kept in bench/results/.`;

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
if (name === undefined || isHelp(name)) {
  print(usage);
  Deno.exit(0);
}
const program = Object.hasOwn(programs, name) ? programs[name] : undefined;
if (!program) {
  const known = Object.keys(programs).join(", ");
  Deno.stderr.writeSync(new TextEncoder().encode(`error: no bench is called ${name}; there are ${known}\n`));
  Deno.exit(2);
}
if (args.some(isHelp)) {
  print(helpOf(name));
  Deno.exit(0);
}
Deno.exit(await run(name, program, args));
