/** Reading any hostile file ends in one line, after little time and with little memory, whatever it unpacks to. */

import assert from "node:assert/strict";
import { hostileFiles } from "./hostile_files.ts";
import { outcomesOf, wrongIn } from "./outcomes.ts";

Deno.test("hostile files of every format end in one line, within seconds and half a gigabyte", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const files = hostileFiles();
    for (const [i, { files: parts }] of files.entries()) {
      await Deno.mkdir(`${folder}/${i}`);
      for (const [name, make] of Object.entries(parts)) {
        await Deno.writeFile(`${folder}/${i}/${name}`, make());
      }
    }
    const outcomes = await outcomesOf(
      folder,
      files.map(({ kind, files }, i) => [kind, `${folder}/${i}/${Object.keys(files)[0]}`]),
    );
    const wrong = files.flatMap(({ name }, i) => wrongIn(outcomes[i]!).map((what) => `${name}: ${what}`));
    assert.deepEqual(wrong, []);
    assert(files.length > 80);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
