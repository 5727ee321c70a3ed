/** `deno task docs`: writes the documents that are generated from the sources. */

import { parseArgs } from "node:util";
import { type Command, execute, exitStatus } from "../src/cli/command.ts";
import { documentPath, kernelDocument } from "./kernel_document.ts";

const docs: Command = {
  help: `
Write docs/kernels.md from the launchers and shaders.

Usage: deno task docs

  --debug      show the stack trace of an error
  --help       show this text
`,
  async run(args) {
    parseArgs({ args: [...args], options: { debug: { type: "boolean" } } });
    await Deno.writeTextFile(documentPath, await kernelDocument());
    return exitStatus.success;
  },
};

await execute(docs);
