/** `./run build`: the npm package and the examples' pages in `dist/`, and what the package adds to a page. */

import { parseArgs } from "node:util";
import { type Command, execute, exitStatus, print, UsageError } from "../src/cli/command.ts";
import configuration from "../deno.json" with { type: "json" };
import { buildExamples } from "./examples.ts";
import { buildPackage, packageSizes, root, sizeTable } from "./package.ts";
import type { PublishedFiles } from "./packed_document.ts";
import { originPage, publishedRevision, repositoryPage } from "./repository.ts";

const build: Command = {
  help: `
Make the npm package and the examples' pages in dist/, and say what the package adds to a page.

Usage: ./run build [--repository URL]

  --repository URL   the repository's page, which npm shows and the README's links lead to
                     (default: git's remote "origin", if it is on the web)
  --debug            show the stack trace of an error
  --help             show this text
`,
  async run(args) {
    const { values } = parseArgs({
      args: [...args],
      options: { repository: { type: "string" }, debug: { type: "boolean" } },
    });
    const published = await publishedFiles(values.repository);
    const target = new URL("dist/", root);
    await Deno.mkdir(target, { recursive: true });
    for (const folder of ["lib", "shaders", "docs"]) {
      await Deno.remove(new URL(folder, target), { recursive: true }).catch(ignoreAbsence);
    }
    await buildPackage(target, published);
    await Deno.mkdir(new URL("examples/", target), { recursive: true });
    await buildExamples(new URL("examples/", target));
    print([
      sizeTable(await packageSizes(target)),
      published
        ? `package.json and the README's links name ${published.page}, ${published.revision}`
        : "package.json names no repository: git has no remote on the web, and --repository URL was not given",
      "dist/ is the package: npm pack ./dist",
      "dist/examples/ holds pages to be opened in a browser",
    ].join("\n"));
    return exitStatus.success;
  },
};

/** Where the repository can be read, by the option or by git. */
async function publishedFiles(option: string | undefined): Promise<PublishedFiles | undefined> {
  const page = option === undefined ? await originPage(root) : repositoryPage(option);
  if (page !== undefined) return { page, revision: await publishedRevision(root, configuration.version) };
  if (option === undefined) return undefined;
  throw new UsageError(
    `--repository ${option} is no repository on the web; give it an address like https://github.com/owner/name`,
  );
}

function ignoreAbsence(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

await execute(build);
