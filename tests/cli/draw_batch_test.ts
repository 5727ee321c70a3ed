import assert from "node:assert/strict";
import { type Chains, drawBatch } from "../../src/cli/sampling/draw_batch.ts";
import { LiveLine } from "../../src/cli/live_line.ts";
import { Context } from "../../src/tensor/context.ts";
import { buildModel } from "../../src/train/build.ts";
import { startImages, startingClasses } from "../../src/train/chain_starts.ts";
import { restoreModel } from "../../src/train/checkpoint/checkpoint.ts";
import { readModelFile } from "../../src/train/checkpoint/import.ts";
import { startReference } from "../../src/train/reference_start.ts";
import { testGpu } from "../kernels/harness.ts";

const shipped = new URL("../../data/models/digits.safetensors", import.meta.url);
const checkpoint = await readModelFile(await Deno.readFile(shipped));
const context = new Context(await testGpu());
const model = buildModel(context, checkpoint.configuration, checkpoint.images);
restoreModel(model, checkpoint);
const seed = 2;

const noData = () => assert.fail("noise needs no data");

for (const label of [undefined, 3]) {
  const classes = startingClasses(80, 10, label);
  const sizes = { stepSize: 1, noiseScale: 0.01 };
  const settings = { ...sizes, start: "noise", seed, conditional: label !== undefined, keep: true } as const;
  const chains: Chains = {
    ...{ model, checkpoint, classes, seed, label, steps: 2, stepSize: 1, prepare: undefined },
    line: new LiveLine(),
    starts: (some, first) => startImages(context, checkpoint, "noise", some, seed, noData, first),
    reference: await startReference(model, checkpoint, settings, noData),
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

Deno.test("images drawn beside a reference depend on no other image that is drawn", async () => {
  const settings = {
    ...{ start: "noise", seed, conditional: false, keep: true, stepSize: 1, noiseScale: 0.01 } as const,
  };
  const classes = startingClasses(12, 10, undefined);
  const chains: Chains = {
    ...{ model, checkpoint, classes, seed, label: undefined, steps: 3, stepSize: 1, prepare: undefined },
    line: new LiveLine(),
    starts: (some, first) => startImages(context, checkpoint, "noise", some, seed, noData, first),
    reference: await startReference(model, checkpoint, settings, noData),
  };
  const drawn = async (first: number, size: number) =>
    (await drawBatch(chains, first, size, { images: true, frames: false })).images[0]!;
  const all = await drawn(0, 12);
  assert.deepEqual([...await drawn(0, 4), ...await drawn(4, 8)], [...all]);
  const running = { ...chains, reference: undefined };
  const others = (await drawBatch(running, 0, 12, { images: true, frames: false })).images[0]!;
  assert.notDeepEqual(others, all);
  chains.reference?.destroy();
});
