import assert from "node:assert/strict";
import { permutation, philox4x32, Purpose, RandomStream } from "../../src/random/philox.ts";

/** Counter, key and output of philox4x32-10, from the known-answer tests of Random123. */
const knownAnswers: readonly [string, string, string][] = [
  ["00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"],
  ["ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"],
  ["243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"],
];

Deno.test("philox4x32() gives the known answers of Random123", () => {
  const words = (text: string) => text.split(" ").map((word) => parseInt(word, 16));
  for (const [counter, key, output] of knownAnswers) {
    assert.deepEqual(philox4x32(words(counter), words(key)), words(output));
  }
});

Deno.test("RandomStream addresses blocks by index, step, purpose and seed", () => {
  const stream = new RandomStream(2 ** 40 + 5, Purpose.sampling, 7);
  const block = philox4x32([3, 7, Purpose.sampling, 0], [5, 256]);
  assert.deepEqual([12, 13, 14, 15].map((i) => stream.bits(i)), block);
  assert.equal(stream.bits(13), block[1]);
});

Deno.test("RandomStream: other seeds, purposes and steps are other streams", () => {
  const first = (seed: number, purpose: number, step: number) =>
    new RandomStream(seed, purpose, step).bits(0);
  assert.equal(new Set([first(1, 1, 1), first(2, 1, 1), first(1, 2, 1), first(1, 1, 2)]).size, 4);
  assert.equal(new Set(Object.values(Purpose)).size, Object.values(Purpose).length);
});

Deno.test("RandomStream.uniform() and normal() have the moments of their laws", () => {
  const stream = new RandomStream(11, Purpose.sampling, 0);
  const count = 100_000;
  const moments = (value: (i: number) => number) => {
    let [mean, square] = [0, 0];
    for (let i = 0; i < count; i++) {
      mean += value(i) / count;
      square += value(i) ** 2 / count;
    }
    return { mean, variance: square - mean ** 2 };
  };
  // Each bound is five standard errors.
  const uniform = moments((i) => stream.uniform(i));
  assert(Math.abs(uniform.mean - 0.5) < 5 * Math.sqrt(1 / 12 / count));
  assert(Math.abs(uniform.variance - 1 / 12) < 5 * Math.sqrt(1 / 180 / count));
  const normal = moments((i) => stream.normal(i));
  assert(Math.abs(normal.mean) < 5 * Math.sqrt(1 / count));
  assert(Math.abs(normal.variance - 1) < 5 * Math.sqrt(2 / count));
});

Deno.test("RandomStream.integer() stays below its bound and reaches every value", () => {
  const stream = new RandomStream(1, Purpose.sampling, 0);
  assert.deepEqual(
    new Set(Array.from({ length: 1000 }, (_, i) => stream.integer(i, 7))),
    new Set([0, 1, 2, 3, 4, 5, 6]),
  );
  assert(Array.from({ length: 100 }, (_, i) => stream.integer(i, 1)).every((value) => value === 0));
});

Deno.test("permutation() is one, and every order of three is about as frequent", () => {
  const large = permutation(new RandomStream(1, Purpose.split, 0), 1000);
  assert.deepEqual([...large].sort((a, b) => a - b), Array.from({ length: 1000 }, (_, i) => i));
  const counts = new Map<string, number>();
  for (let step = 0; step < 6000; step++) {
    const order = permutation(new RandomStream(1, Purpose.split, step), 3).join("");
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  assert.equal(counts.size, 6);
  // Binomial, with a standard deviation of 29.
  for (const count of counts.values()) assert(Math.abs(count - 1000) < 5 * 29);
});
