/** `./run docs`: writes the documents that are generated from the sources and the benches' results. */

import { parseArgs } from "node:util";
import { type Command, execute, exitStatus } from "../src/cli/command.ts";
import { documentPath, kernelDocument } from "./kernel_document.ts";
import { optionsDocument, optionsPath } from "./options_document.ts";
import { performanceDocument, performancePath } from "./performance/document.ts";

const docs: Command = {
  help: `
Write docs/kernels.md from the launchers and shaders, docs/options.md from the options of the configuration, and
the tables of docs/performance.md from bench/results/.

Usage: ./run docs

  --debug      show the stack trace of an error
  --help       show this text
`,
  async run(args) {
    parseArgs({ args: [...args], options: { debug: { type: "boolean" } } });
    await Deno.writeTextFile(documentPath, await kernelDocument());
    const written = await Deno.readTextFile(performancePath);
    await Deno.writeTextFile(performancePath, await performanceDocument(written));
    await Deno.writeTextFile(optionsPath, await optionsDocument());
    return exitStatus.success;
  },
};

await execute(docs);
