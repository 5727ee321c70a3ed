import assert from "node:assert/strict";
import { type Chains, drawBatch } from "../../src/cli/sampling/draw_batch.ts";
import { LiveLine } from "../../src/cli/live_line.ts";
import { Context } from "../../src/tensor/context.ts";
import { buildModel } from "../../src/train/build.ts";
import { startImages, startingClasses } from "../../src/train/chain_starts.ts";
import { restoreModel } from "../../src/train/checkpoint/checkpoint.ts";
import { readModelFile } from "../../src/train/checkpoint/import.ts";
import { testGpu } from "../kernels/harness.ts";

const shipped = new URL("../../data/models/digits.safetensors", import.meta.url);
const checkpoint = await readModelFile(await Deno.readFile(shipped));
const context = new Context(await testGpu());
const model = buildModel(context, checkpoint.configuration, checkpoint.images);
restoreModel(model, checkpoint);
const seed = 2;

for (const label of [undefined, 3]) {
  const classes = startingClasses(80, 10, label);
  const chains: Chains = {
    ...{ model, checkpoint, classes, seed, label, steps: 2, stepSize: 1, prepare: undefined },
    line: new LiveLine(),
    starts: (some, first) =>
      startImages(context, checkpoint, "noise", some, seed, () => assert.fail("noise needs no data"), first),
  };

  Deno.test(`drawBatch() takes no more memory of the GPU for many batches than for one (class ${label})`, async () => {
    const kept = { images: true, frames: true };
    const { images, logits, energies } = await drawBatch(chains, 0, 8, kept);
    assert.deepEqual([images.length, logits.length, energies.length], [1 + 3, 80, 8]);
    assert.deepEqual(images[0], images.at(-1), "the last frame shows the end");
    const bytes = context.gpu.bytes;
    for (let first = 8; first < 80; first += 8) await drawBatch(chains, first, 8, kept);
    assert.equal(context.gpu.bytes, bytes);
    const { images: none } = await drawBatch(chains, 0, 8, { images: false, frames: false });
    assert.deepEqual(none, []);
  });
}
