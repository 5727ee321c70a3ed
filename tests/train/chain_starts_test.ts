import assert from "node:assert/strict";
import { loadDataset } from "../../src/data/load.ts";
import { generate } from "../../src/jem/generate.ts";
import { unconditionalScore } from "../../src/jem/score.ts";
import { streamWords } from "../../src/random/philox.ts";
import { Context } from "../../src/tensor/context.ts";
import { buildModel } from "../../src/train/build.ts";
import {
  chainStarts,
  fittedImages,
  informativeStart,
  startImages,
  startingClasses,
} from "../../src/train/chain_starts.ts";
import { restoreModel } from "../../src/train/checkpoint/checkpoint.ts";
import { readModelFile } from "../../src/train/checkpoint/import.ts";
import { blockAt } from "../../src/tensor/operations/random.ts";
import { testGpu } from "../kernels/harness.ts";

const shipped = new URL("../../data/models/digits.safetensors", import.meta.url);
const checkpoint = await readModelFile(await Deno.readFile(shipped));
const context = new Context(await testGpu());
const model = buildModel(context, checkpoint.configuration, checkpoint.images);
restoreModel(model, checkpoint);
const digits = await loadDataset({ name: "digits" });
const initialisation = informativeStart(context, checkpoint, () => fittedImages(context, digits));
const [count, seed] = [20, 7];
const classes = startingClasses(count, 10, undefined);

Deno.test("blockAt() finds the block that a value begins, and refuses one that begins none", () => {
  assert.deepEqual([0, 4, 6400].map(blockAt), [0, 1, 1600]);
  for (const value of [1, 6, 4.5, 2 ** 60]) assert.throws(() => blockAt(value), RangeError);
});

for (const start of chainStarts) {
  /** The ends of noisy chains, from number `first` up to `end`. */
  const ends = async (first: number, end: number) => {
    const some = classes.subarray(first, end);
    const informative = () => Promise.resolve(initialisation);
    using images = await startImages(context, checkpoint, start, some, seed, informative, first);
    const chain = { steps: 2, stepSize: 0.1, noiseScale: 0.1, first };
    await generate(unconditionalScore(model), images, chain, (step) => streamWords(seed, step));
    return await images.read();
  };

  Deno.test(`chains from ${start} starts end where they would if all ran at once`, async () => {
    const all = await ends(0, count);
    const parts = [await ends(0, 8), await ends(8, 20)];
    assert.deepEqual(Float32Array.from(parts.flatMap((part) => [...part])), all);
    assert.notDeepEqual(all.subarray(0, 8 * 64), all.subarray(8 * 64, 16 * 64), "they are different chains");
  });
}
