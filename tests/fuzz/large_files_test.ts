/** Reading a file of any size, or something that is not a file, ends in one line. Only what is needed is read. */

import assert from "node:assert/strict";
import { dirname } from "node:path";
import { type LargeFile, largeFiles } from "./large_files.ts";
import { outcomesOf, wrongIn } from "./outcomes.ts";

/** Memory of the process, including Deno's own. */
const mostBytes = 512 * 2 ** 20;
/** Processor time. */
const mostSeconds = 2;

Deno.test("files of 20 GB, pipes and devices end in one line, within two seconds and half a gigabyte", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const files = largeFiles();
    for (const [i, file] of files.entries()) await make(`${folder}/${i}/${file.path}`, file);
    const outcomes = await outcomesOf(
      folder,
      files.map(({ kind, path }, i) => [kind, `${folder}/${i}/${path}`]),
    );
    const wrong = files.flatMap(({ kind, path, special = "", refusal }, i) => {
      const { refusal: said = "", peak, seconds } = outcomes[i]!;
      return [
        ...wrongIn(outcomes[i]!),
        ...((refusal ?? /^$/).test(said) ? [] : [`says "${said}"`]),
        ...(peak > mostBytes ? [`${Math.round(peak / 2 ** 20)} MiB`] : []),
        ...(seconds > mostSeconds ? [`${seconds} seconds`] : []),
      ].map((what) => `${special} ${kind} ${path}: ${what}`);
    });
    assert.deepEqual(wrong, []);
    const metrics = files.findIndex(({ kind }) => kind === "metrics");
    assert((await Deno.stat(`${folder}/${metrics}/metrics.jsonl.unusable`)).isFile);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

async function make(path: string, { special, begin, end, size }: LargeFile): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  if (special === "folder") return await Deno.mkdir(path);
  if (special === "device") return await Deno.symlink("/dev/zero", path);
  if (special === "pipe") {
    const { success } = await new Deno.Command("mkfifo", { args: [path] }).output();
    assert(success);
    return;
  }
  using file = await Deno.open(path, { write: true, create: true });
  if (begin) await file.write(begin);
  await file.truncate(size);
  if (!end) return;
  await file.seek(size! - end.length, Deno.SeekMode.Start);
  await file.write(end);
}
