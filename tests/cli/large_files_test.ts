/** The commands, given files of gigabytes and named pipes. They fail with one line and wait for nothing. */

import assert from "node:assert/strict";
import { withFiles } from "../temporary.ts";
import { outcome, ownErrors, start } from "./commands.ts";

const large = 30 * 2 ** 30;
/** A command that waits for a pipe waits forever. */
const longestWait = 120_000;

/** The path of something that no command can use, a command line with `AT` for the folder, and the expected error. */
const cases: readonly [path: string, args: string, message: RegExp][] = [
  ["x.safetensors", "convert AT/x.safetensors AT/out.pt", /AT\/x\.safetensors: /],
  ["x.pt", "convert AT/x.pt AT/out.safetensors", /AT\/x\.pt: /],
  ["run/model.safetensors", "convert AT/run AT/out.pt", /AT\/run\/model\.safetensors: /],
  ["run/checkpoints/00000010.safetensors", "convert AT/run AT/out.pt", /holds no usable checkpoint/],
  ["config.json", "train --config AT/config.json --run-dir AT/run", /AT\/config\.json: it /],
  [
    "kernels.json",
    "train --preset digits --kernels AT/kernels.json --run-dir AT/run",
    /AT\/kernels\.json: it /,
  ],
  ["run/config.json", "train --resume --run-dir AT/run", /AT\/run\/config\.json: it /],
  ["one/results.json", "compare AT/one AT/one", /AT\/one\/results\.json: it /],
  ["x.pth", "evaluate --inception AT/x.pth --out AT/out", /AT\/x\.pth: /],
  [
    "data/test_batch.bin",
    "train --preset cifar10-tiny --set dataFolder=AT/data --run-dir AT/run",
    /AT\/data\/test_batch\.bin: it /,
  ],
];

for (const kind of ["file of 30 GB", "named pipe"] as const) {
  Deno.test(`commands: a ${kind} where a file is expected ends in one line`, async (t) => {
    for (const [path, args, message] of cases) {
      await t.step(args, async () => {
        await withFiles({ [`${path}.other`]: new Uint8Array() }, async (folder) => {
          await make(`${folder}/${path}`, kind);
          const [task, ...rest] = args.replaceAll("AT", folder).split(" ");
          const process = start(task!, ...rest);
          const timer = setTimeout(() => process.kill("SIGKILL"), longestWait);
          const result = await outcome(process);
          clearTimeout(timer);
          const lines = ownErrors(result).filter((line) => !/^(warning|note): /.test(line));
          assert.equal(result.status, 1, result.errors);
          assert.equal(lines.length, 1, result.errors);
          assert.match(lines[0]!.replaceAll(folder, "AT"), message);
        });
      });
    }
  });
}

async function make(path: string, kind: string): Promise<void> {
  if (kind === "named pipe") {
    assert((await new Deno.Command("mkfifo", { args: [path] }).output()).success);
    return;
  }
  await Deno.writeFile(path, new Uint8Array());
  await Deno.truncate(path, large);
}
