/**
 * Every reader of untrusted files, on thousands of damaged files. It returns something or throws the project's own
 * error. It never hangs, and never allocates more than the file could justify.
 */

import { allocatingAtMost, ExcessiveAllocation } from "./allocation.ts";
import assert from "node:assert/strict";
import { cases, justified, readDamaged } from "./readers.ts";

const runs = 2000;
const seed = 20;

for (const [name, own] of Object.entries(cases)) {
  Deno.test(`${name}: ${runs} damaged files are read or refused`, async () => {
    await readDamaged(own, { runs, seed });
  });
}

Deno.test("what watches the readers' memory notices one large array, many small ones, and buffers", async () => {
  const greedy: (() => unknown)[] = [
    () => new Float64Array(200),
    () => Uint8Array.from({ length: 2000 }),
    () => new ArrayBuffer(2000),
    () => Array.from({ length: 100 }, () => new Uint8Array(500)),
  ];
  for (const read of greedy) {
    await assert.rejects(allocatingAtMost(1000, read), ExcessiveAllocation);
  }
  await allocatingAtMost(1000, () => Array.from({ length: 10 }, () => new Uint8Array(500)));
});

Deno.test("the damaged files' originals are all read", async () => {
  for (const [name, { files, read }] of Object.entries(cases)) {
    for (const file of files) {
      const bytes = new Uint8Array(file);
      const refusable = ["model files", "model files by ranges", "gzipped digits", "PNG headers and rows"]
        .includes(name);
      if (!refusable) await allocatingAtMost(justified(bytes.length), () => read(bytes));
    }
  }
});
