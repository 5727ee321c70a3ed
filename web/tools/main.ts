import { parseArgs } from "node:util";
import { type Command, execute, exitStatus, print } from "../../src/cli/command.ts";
import { bundlePage } from "./bundle.ts";
import { portNumber } from "./port.ts";
import { servePage } from "./server.ts";

const help = `
Build the web page and serve it on this computer.

Usage: ./run web [options]

  --build      only write it to dist/web/, for any web server
  --port N     where to serve it (default: 8000)
  --debug      show the stack trace of an error
  --help       show this text
`;

const options = {
  build: { type: "boolean" },
  port: { type: "string", default: "8000" },
  debug: { type: "boolean" },
} as const;

const web: Command = {
  help,
  async run(args) {
    const { values } = parseArgs({ args: [...args], options, strict: true, allowPositionals: false });
    const port = portNumber(values.port);
    const files = await bundlePage();
    if (values.build) {
      await writeFiles(files);
      return exitStatus.success;
    }
    // The files are in memory. Whoever talks to the server meets a process that can do nothing else.
    for (const name of ["run", "read", "write", "env"] as const) await Deno.permissions.revoke({ name });
    const server = await servePage(files, port);
    print(`http://localhost:${server.port}/`);
    await new Promise(() => {});
    return exitStatus.success;
  },
};

/** Writes the page into an empty `dist/web/`. */
async function writeFiles(files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  const folder = new URL("../../dist/web/", import.meta.url);
  await Deno.mkdir(folder, { recursive: true });
  for await (const { name } of Deno.readDir(folder)) await Deno.remove(new URL(name, folder));
  for (const [name, bytes] of files) await Deno.writeFile(new URL(name, folder), bytes);
  const kilobytes = [...files.values()].reduce((sum, { length }) => sum + length, 0) / 1000;
  print(`wrote ${files.size} files, ${kilobytes.toFixed(0)} kB, to dist/web/`);
}

if (import.meta.main) await execute(web);
