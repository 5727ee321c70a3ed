import { parseArgs } from "node:util";
import { type Command, execute, exitStatus, print, wholeNumber } from "../../src/cli/command.ts";
import { bundlePage } from "./bundle.ts";

const help = `
Build the web page and serve it on this computer.

Usage: deno task web [options]

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

const hostname = "localhost";

const mediaTypes: Readonly<Record<string, string>> = {
  css: "text/css",
  html: "text/html; charset=utf-8",
  js: "text/javascript",
  svg: "image/svg+xml",
};

const web: Command = {
  help,
  async run(args) {
    const { values } = parseArgs({ args: [...args], options, strict: true, allowPositionals: false });
    const files = await bundlePage();
    if (values.build) {
      await writeFiles(files);
    } else {
      const port = wholeNumber("--port", values.port)!;
      await Deno.serve(
        { hostname, port, onListen: ({ port }) => print(`http://${hostname}:${port}/`) },
        (request) => {
          return respond(files, new URL(request.url).pathname.slice(1) || "index.html");
        },
      ).finished;
    }
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

function respond(files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>, name: string): Response {
  const bytes = files.get(name);
  if (!bytes) return new Response("not found", { status: 404 });
  const type = mediaTypes[name.slice(name.lastIndexOf(".") + 1)] ?? "application/octet-stream";
  return new Response(bytes, { headers: { "content-type": type } });
}

if (import.meta.main) await execute(web);
