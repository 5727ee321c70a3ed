import assert from "node:assert/strict";
import { ConfigurationError } from "../../../src/errors.ts";
import { Purpose, RandomStream, streamWords } from "../../../src/random/philox.ts";
import { BatchOrder } from "../../../src/train/iteration/batch_order.ts";
import { drawCrops, drawReplay } from "../../../src/train/iteration/draws.ts";
import { skipped } from "../../../src/jem/initialisation.ts";

const all = (count: number) => Uint32Array.from({ length: count }, (_, i) => i);

Deno.test("BatchOrder visits each image at most once an epoch and drops the short batch", () => {
  const order = new BatchOrder(1, Purpose.labelledOrder, all(23), 5);
  assert.equal(order.batchesPerEpoch, 4);
  for (const epoch of [0, 1]) {
    const seen = new Set<number>();
    for (let i = 0; i < 4; i++) for (const index of order.at(4 * epoch + i)) seen.add(index);
    assert.equal(seen.size, 20);
    assert([...seen].every((index) => index < 23));
  }
});

Deno.test("BatchOrder reshuffles every epoch, and depends on nothing but seed, purpose and iteration", () => {
  const order = new BatchOrder(1, Purpose.labelledOrder, all(100), 10);
  const later = new BatchOrder(1, Purpose.labelledOrder, all(100), 10);
  const first = [...order.at(0)];
  assert.notDeepEqual([...order.at(10)], first);
  assert.deepEqual([...later.at(10)], [...order.at(10)]);
  assert.deepEqual([...later.at(0)], first);
  assert.notDeepEqual([...new BatchOrder(1, Purpose.likelihoodOrder, all(100), 10).at(0)], first);
  assert.notDeepEqual([...new BatchOrder(2, Purpose.labelledOrder, all(100), 10).at(0)], first);
});

Deno.test("BatchOrder keeps to the images that it is given", () => {
  const order = new BatchOrder(1, Purpose.labelledOrder, Uint32Array.of(3, 5, 8, 13), 2);
  assert.deepEqual([...order.at(0), ...order.at(1)].toSorted((a, b) => a - b), [3, 5, 8, 13]);
});

Deno.test("BatchOrder refuses batches larger than the data", () => {
  assert.throws(() => new BatchOrder(1, Purpose.labelledOrder, all(4), 5), ConfigurationError);
});

Deno.test("drawCrops() covers all shifts and flips, and leaves out what is not wanted", () => {
  const stream = new RandomStream(1, Purpose.labelledCrop, 0);
  const crops = [...drawCrops(stream, 3000, { padding: 1, flip: true })];
  assert.equal(new Set(crops).size, 18);
  assert.deepEqual(new Set(drawCrops(stream, 10, { padding: 0, flip: false })), new Set([0]));
});

Deno.test("drawReplay() starts afresh with the given probability, in all classes", () => {
  const batch = 20_000;
  const { draws, freshClasses } = drawReplay({
    seed: 3,
    iteration: 5,
    batch,
    shardBatch: batch,
    entries: 50,
    classes: 10,
    reinitProbability: 0.05,
  });
  assert(draws.subarray(0, batch).every((entry) => entry < 50));
  const fresh = draws.subarray(batch).filter((flag) => flag === 1).length;
  // Binomial: 1,000, with a standard deviation of 31.
  assert(Math.abs(fresh - 1000) < 5 * 31);
  freshClasses.forEach((label, i) => assert.equal(label === skipped, draws[batch + i] === 0));
  assert.equal(new Set(freshClasses).size, 11);
});

Deno.test("streamWords() splits seeds beyond 32 bits", () => {
  assert.deepEqual([...streamWords(2 ** 40 + 7, 9)], [7, 256, 9, 0]);
});
