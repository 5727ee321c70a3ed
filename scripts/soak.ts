/** `./run soak`: a long run of a tiny model, whose memory, time and files must not grow. */

import { projectFolder } from "./tasks.ts";
import { parseArgs } from "node:util";
import { growth, soak } from "../bench/lib/soak.ts";
import { type Command, execute, exitStatus, print, printError, wholeNumber } from "../src/cli/command.ts";

const options = {
  iterations: { type: "string", default: "10000" },
  debug: { type: "boolean" },
} as const;

const command: Command = {
  help: `
Train a tiny model on the digits for long, and watch the process: memory of the host and of the GPU, time of an
iteration and the files of the run must stay what they are. Fails if one of them grows.

Usage: ./run soak [options]

  --iterations N   iterations, at least 20 (default: ${options.iterations.default})
  --debug          show the stack trace of an error
  --help           show this text
`,
  async run(args) {
    const { values } = parseArgs({ args: [...args], options, strict: true });
    const iterations = wholeNumber("--iterations", values.iterations, 20)!;
    const runs = `${projectFolder}runs`;
    await Deno.mkdir(runs, { recursive: true });
    const folder = await Deno.makeTempDir({ dir: runs, prefix: "soak-" });
    try {
      print("iteration  host MiB  GPU MiB  ms/iteration  checkpoint kB  checkpoints  metrics B/iteration");
      const all = await soak(
        folder,
        iterations,
        ({ iteration, host, gpu, seconds, checkpoint, checkpoints, metrics }) => {
          const cells = [
            host / 2 ** 20,
            gpu / 2 ** 20,
            1000 * seconds,
            checkpoint / 1000,
            checkpoints,
            metrics,
          ];
          const widths = [10, 9, 14, 15, 13, 21];
          const figures = cells.map((cell, i) => cell.toFixed(i >= 4 ? 0 : 1).padStart(widths[i]!)).join("");
          print(String(iteration).padStart(9) + figures);
        },
      );
      const found = growth(all);
      for (const line of found) printError(`error: ${line}`);
      if (found.length === 0) print("nothing grew");
      return found.length === 0 ? exitStatus.success : exitStatus.failure;
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
};

await execute(command);
