/** Every hostile file ends in one line, after little time and with little memory, whatever it unpacks to. */

import assert from "node:assert/strict";
import { projectFolder } from "../../scripts/tasks.ts";
import { hostileFiles } from "./hostile_files.ts";
import type { Outcome } from "./hostile_reader.ts";

/** Of processor time: a machine that does other things takes longer for the same work. */
const mostSeconds = 4;
const mostBytes = 512 * 2 ** 20;
/** What a process of Deno has before it reads anything, with all modules loaded. */
const idleBytes = 128 * 2 ** 20;

Deno.test("hostile files of every format end in one line, within seconds and half a gigabyte", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const files = hostileFiles();
    const args: string[] = [];
    for (const [i, { kind, files: parts }] of files.entries()) {
      await Deno.mkdir(`${folder}/${i}`);
      for (const [name, make] of Object.entries(parts)) {
        await Deno.writeFile(`${folder}/${i}/${name}`, make());
      }
      args.push(kind, `${folder}/${i}/${Object.keys(parts)[0]}`);
    }
    const outcomes: Outcome[] = [];
    while (outcomes.length < files.length) {
      const more = await read(folder, args.slice(2 * outcomes.length));
      assert(more.length > 0, `the process that read ${files[outcomes.length]!.name} ended`);
      outcomes.push(...more);
    }
    const wrong = files.flatMap(({ name }, i) => wrongIn(outcomes[i]!).map((what) => `${name}: ${what}`));
    assert.deepEqual(wrong, []);
    assert(files.length > 80);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

async function read(folder: string, args: readonly string[]): Promise<Outcome[]> {
  const flags = ["--lock=all.lock", "--no-check", "--v8-flags=--expose-gc"];
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      ...flags,
      `--allow-read=${folder}`,
      "--allow-run=cat",
      "tests/fuzz/hostile_reader.ts",
      ...args,
    ],
    cwd: projectFolder,
  }).output();
  assert.equal(new TextDecoder().decode(stderr), "");
  return new TextDecoder().decode(stdout).split("\n").filter((line) => line !== "").map((line) =>
    JSON.parse(line)
  );
}

function wrongIn(outcome: Outcome): string[] {
  const { refusal = "", expected, seconds, peak } = outcome;
  return [
    expected ? "" : `not refused on purpose: ${refusal}`,
    refusal.includes("\n") || refusal.length > 500 ? `more than a line: ${refusal.slice(0, 600)}` : "",
    seconds > mostSeconds ? `${seconds} seconds` : "",
    peak > idleBytes + mostBytes ? `${Math.round(peak / 2 ** 20)} MiB` : "",
  ].filter((text) => text !== "");
}
