/** `deno task build`: the npm package and the examples' pages in `dist/`, and what the package adds to a page. */

import { parseArgs } from "node:util";
import { type Command, execute, exitStatus, print } from "../src/cli/command.ts";
import { buildExamples } from "./examples.ts";
import { buildPackage, bundleSize, programs, root } from "./package.ts";

const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`.padStart(9);

const build: Command = {
  help: `
Make the npm package and the examples' pages in dist/, and say what the package adds to a page.

Usage: deno task build

  --debug      show the stack trace of an error
  --help       show this text
`,
  async run(args) {
    parseArgs({ args: [...args], options: { debug: { type: "boolean" } } });
    const target = new URL("dist/", root);
    await Deno.mkdir(target, { recursive: true });
    for (const folder of ["lib", "shaders", "docs"]) {
      await Deno.remove(new URL(folder, target), { recursive: true }).catch(ignoreAbsence);
    }
    await buildPackage(target);
    await Deno.mkdir(new URL("examples/", target), { recursive: true });
    await buildExamples(new URL("examples/", target));

    const lines = ["imported               minified      gzip"];
    for (const [name, program] of Object.entries(programs)) {
      const { minified, gzip } = await bundleSize(target, program);
      lines.push(`${name.padEnd(22)}${kilobytes(minified)} ${kilobytes(gzip)}`);
    }
    lines.push(
      "dist/ is the package: npm pack ./dist",
      "dist/examples/ holds pages to be opened in a browser",
    );
    print(lines.join("\n"));
    return exitStatus.success;
  },
};

function ignoreAbsence(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

await execute(build);
