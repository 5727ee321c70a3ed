/** `./run curves`: writes the script that draws the curves of trainings. */

import { parseArgs } from "node:util";
import { type Command, execute, exitStatus } from "../../src/cli/command.ts";
import { curvesScript, curvesScriptPath } from "./curves_script.ts";

const curves: Command = {
  help: `
Write src/report/curves/script.js, which draws the curves of trainings, from web/curves/. A test says when it is due.

Usage: ./run curves

  --debug      show the stack trace of an error
  --help       show this text
`,
  async run(args) {
    parseArgs({ args: [...args], options: { debug: { type: "boolean" } } });
    await Deno.writeTextFile(curvesScriptPath, await curvesScript());
    return exitStatus.success;
  },
};

await execute(curves);
