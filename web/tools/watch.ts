/** `./run watch`: serves a page that shows trainings while they run. */

import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { type Command, execute, exitStatus, print, projectPath } from "../../src/cli/command.ts";
import { readOnlyIn } from "../../src/cli/permissions.ts";
import script from "../../src/report/curves/script.js" with { type: "text" };
import { ignoreSystemError } from "../../src/train/run/files.ts";
import curvesStyle from "../../src/report/curves/style.css" with { type: "text" };
import page from "../curves/watch.html" with { type: "text" };
import pageStyle from "../curves/watch.css" with { type: "text" };
import icon from "../icon.svg" with { type: "text" };
import type { PageFiles } from "./answer.ts";
import { portNumber } from "./port.ts";
import { serve } from "./server.ts";
import { givenRuns, runsIn } from "./watched_runs.ts";
import { watchAnswerer } from "./watch_answer.ts";

const help = `
Show trainings in a browser on this computer while they run: losses, energies, accuracy, speed, and the replay buffer.

Usage: ./run watch [RUN]... [options]

  RUN          a run directory; several are drawn above one another (default: all of runs/, also those that begin later)
  --port N     where to serve the page (default: 8010; 0 takes one that is free)
  --debug      show the stack trace of an error
  --help       show this text

Nothing is written, and nothing but the run directories can be read. Of a computer that you are logged in to over SSH,
forward the port: ssh -L 8010:localhost:8010 HOST. The page itself makes no request but to this server.
`;

const options = {
  port: { type: "string", default: "8010" },
  debug: { type: "boolean" },
} as const;

/** The page's files, which do not change while it is served. */
export const watchPage: PageFiles = new Map(
  Object.entries({
    "index.html": page,
    "curves.css": curvesStyle,
    "watch.css": pageStyle,
    "curves.js": script,
    "icon.svg": icon,
  }).map(([name, text]) => [name, new TextEncoder().encode(text)]),
);

const watch: Command = {
  help,
  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      options,
      strict: true,
      allowPositionals: true,
    });
    const port = portNumber(values.port);
    const all = await whereItLies(projectPath("runs"));
    const runs = positionals.length > 0 ? await givenRuns(positionals) : runsIn(all);
    const folders = positionals.length > 0 ? [...(await runs()).values()].map(({ folder }) => folder) : [all];
    await readOnlyIn(folders);
    await Deno.permissions.revoke({ name: "env" });
    const server = await serve(watchAnswerer(watchPage, runs), port);
    print(`http://localhost:${server.port}/`);
    await new Promise(() => {});
    return exitStatus.success;
  },
};

/** A folder's path after all links; the path itself if the folder does not exist yet. */
async function whereItLies(path: string): Promise<string> {
  return await Deno.realPath(path).catch((error) => {
    ignoreSystemError(error);
    return resolve(path);
  });
}

if (import.meta.main) await execute(watch);
