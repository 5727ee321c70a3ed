import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { withFiles } from "../temporary.ts";
import { mount } from "../small_disk.ts";
import { outcome, ownErrors, run, start } from "./commands.ts";
import { reportedIterations } from "../run_files.ts";

/** Options of a run that takes seconds and writes often. */
const quick = ["likelihoodBatch=8", "labelledBatch=8", "bufferSize=20", "steps=1", "checkpointEvery=20"]
  .flatMap((setting) => ["--set", setting]);

Deno.test("train: waits on a full disk, names file and size, and goes on when there is room (skipped where mount may not)", async () => {
  await withFiles({ "disk/x": new Uint8Array() }, async (folder) => {
    const disk = `${folder}/disk`;
    if (!await mount(disk, 4096)) return;
    try {
      const process = start("train", ...quick, "--iterations", "100", "--run-dir", `${disk}/run`);
      while (!await Deno.stat(`${disk}/run/checkpoints/00000000.safetensors`).catch(() => undefined)) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      const { size } = await Deno.stat(`${disk}/run/checkpoints/00000000.safetensors`);
      await Deno.writeFile(`${disk}/fill`, new Uint8Array(4096 * 1024)).catch(() => {});
      setTimeout(() => Deno.removeSync(`${disk}/fill`), 15_000);
      const { status, output, errors } = await outcome(process);
      assert.equal(status, 0, errors);
      const pattern =
        /^warning: cannot write \S+\.safetensors \(([\d,]+) bytes\): No space left on device; trying again for 600 s$/m;
      const [, bytes] = pattern.exec(output) ?? assert.fail(output);
      assert(Number(bytes!.replaceAll(",", "")) >= size);
      assert.match(output, /^written after \d+ s of waiting$/m);
      assert.deepEqual(
        reportedIterations(await Deno.readTextFile(`${disk}/run/metrics.jsonl`)),
        Array.from({ length: 100 }, (_, i) => i),
      );
    } finally {
      await new Deno.Command("umount", { args: [disk] }).output();
    }
  });
});

Deno.test("commands: an empty path is refused in one line", async () => {
  const cases: [string, string[], RegExp][] = [
    ["train", ["--run-dir", ""], /^error: --run-dir is empty; give it a path/],
    ["train", ["--resume", "--run-dir="], /^error: --run-dir is empty/],
    ["sample", ["--model", ""], /^error: --model is empty/],
    ["convert", ["", "x.pt"], /^error: an argument is empty/],
  ];
  for (const [task, args, message] of cases) {
    const result = await run(task, ...args);
    assert.equal(result.status, 2);
    assert.match(ownErrors(result)[0] ?? "", message);
  }
});

Deno.test("sample, evaluate: a model with a single changed bit is refused in one line", async () => {
  await withFiles({}, async (folder) => {
    const [model, damaged] = [`${folder}/model.safetensors`, `${folder}/damaged.safetensors`];
    const shipped = fileURLToPath(new URL("../../data/models/digits.safetensors", import.meta.url));
    const converted = await run("convert", shipped, model);
    assert.equal(converted.status, 0, converted.errors);
    const bytes = await Deno.readFile(model);
    bytes[bytes.length - 1000]! ^= 1;
    await Deno.writeFile(damaged, bytes);
    for (const task of ["sample", "evaluate"]) {
      const result = await run(task, "--model", damaged);
      assert.equal(result.status, 1);
      const [line, ...rest] = ownErrors(result);
      assert.match(line!, /^error: .*damaged\.safetensors: damaged checkpoint: .*checksum/);
      assert.deepEqual(rest, []);
    }
  });
});
