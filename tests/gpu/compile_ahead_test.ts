import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { withFiles } from "../temporary.ts";
import type { Outcome } from "./compile_ahead_child.ts";

/** Runs the child with a folder for the driver's cache. */
async function run(cache: string, ...args: string[]): Promise<Outcome> {
  const script = fileURLToPath(new URL("compile_ahead_child.ts", import.meta.url));
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-read", script, ...args],
    env: { MESA_SHADER_CACHE_DIR: cache },
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** Compiled programs in a Mesa cache that has one file for each, in folders of two digits. */
async function countPrograms(cache: string): Promise<number> {
  let count = 0;
  for await (const { name, isDirectory } of Deno.readDir(cache)) {
    if (isDirectory && /^[0-9a-f]{2}$/.test(name)) {
      for await (const _ of Deno.readDir(`${cache}/${name}`)) count++;
    } else if (isDirectory) {
      count += await countPrograms(`${cache}/${name}`);
    }
  }
  return count;
}

Deno.test("compileAhead() fills the driver's cache with what the plan's device takes from it, and changes nothing", async () => {
  await withFiles({}, async (plain) => {
    await withFiles({}, async (cache) => {
      const expected = await run(plain);
      const ahead = await run(cache, "ahead");
      assert.equal(expected.ahead, 0);
      assert.deepEqual(ahead.results, expected.results);
      assert.equal(ahead.pipelines, expected.pipelines);
      if (ahead.family !== "lavapipe") return assert.equal(ahead.ahead, 0);
      assert.equal(ahead.ahead, ahead.pipelines);
      // A program compiled in a different way from what the plan needs would be there twice.
      assert.equal(await countPrograms(cache), await countPrograms(plain));
    });
  });
});
