import assert from "node:assert/strict";
import { inBatches, inRounds, shareOf } from "../../src/distributed/batches.ts";
import { oneProcess } from "../../src/distributed/communicator.ts";
import { processesInOne } from "./processes_in_one.ts";

Deno.test("shareOf() gives each thing to one rank, in whole batches that are as evenly divided as they can be", () => {
  for (const size of [1, 2, 3, 7]) {
    for (const [count, batchSize] of [[1, 64], [64, 64], [65, 64], [1000, 64], [13, 1], [5, 2]] as const) {
      const shares = Array.from({ length: size }, (_, rank) => shareOf({ rank, size }, count, batchSize));
      assert.deepEqual([shares[0]!.first, shares.at(-1)!.end], [0, count]);
      shares.slice(1).forEach(({ first }, i) => assert.equal(first, shares[i]!.end));
      const batches = shares.map(({ first, end }) => Math.ceil((end - first) / batchSize));
      assert(shares.every(({ first, end }) => first % batchSize === 0 || first === end));
      assert(Math.max(...batches) - Math.min(...batches) <= 1, `${size} ranks: ${batches}`);
      assert(batches[0] === Math.max(...batches), "rank 0 has a batch if there is one");
    }
  }
});

/** Numbers that only exact copies preserve, including a zero's sign and a NaN's payload. */
const odd = (i: number) => [-0, NaN, 1 / 3 + i, Infinity][i % 4]!;

Deno.test("inBatches() gives all ranks what one process has, bit for bit, from the same batches", async () => {
  for (const count of [1, 7, 12, 40]) {
    for (const size of [1, 2, 3, 5]) {
      const batches: [number, number][] = [];
      const done: number[][] = [];
      const results = await Promise.all(
        processesInOne(size).map((communicator, rank) => {
          done[rank] = [];
          const work = (start: number, size: number) => {
            batches.push([start, size]);
            return Promise.resolve([
              Float32Array.from({ length: 3 * size }, (_, i) => odd(3 * start + i)),
              Float64Array.from({ length: size }, (_, i) => odd(start + i + 1)),
            ]);
          };
          return inBatches(count, 4, work, { communicator, progress: (part) => done[rank]!.push(part) });
        }),
      );
      const expected = [
        Float32Array.from({ length: 3 * count }, (_, i) => odd(i)),
        Float64Array.from({ length: count }, (_, i) => odd(i + 1)),
      ];
      for (const [i, array] of expected.entries()) {
        for (const result of results) {
          assert.equal(result[i]!.constructor, array.constructor);
          assert.deepEqual(new Uint8Array(result[i]!.buffer), new Uint8Array(array.buffer));
        }
      }
      const starts = Array.from({ length: Math.ceil(count / 4) }, (_, batch) => 4 * batch);
      batches.sort(([a], [b]) => a - b);
      assert.deepEqual(batches, starts.map((start) => [start, Math.min(4, count - start)]));
      for (const parts of done.filter((parts) => parts.length > 0)) assert.equal(parts.at(-1), count);
    }
  }
});

Deno.test("inBatches() of one process tells how many things are done", async () => {
  const done: number[] = [];
  await inBatches(9, 4, () => Promise.resolve([]), { progress: (part) => done.push(part) });
  assert.deepEqual(done, [4, 8, 9]);
});

Deno.test("inRounds() hands every batch to rank 0 in order, and to no other rank", async () => {
  for (const size of [1, 2, 3, 5]) {
    for (const count of [1, 8, 23]) {
      const taken: number[][] = [];
      const made = await Promise.all(
        processesInOne(size).map(async (communicator, rank) => {
          const own: number[] = [];
          await inRounds(communicator, count, 4, (start, size) => {
            own.push(start);
            return Promise.resolve(Uint8Array.from({ length: size }, (_, i) => start + i));
          }, (bytes, start, size) => {
            assert.equal(rank, 0);
            taken.push([start, size, ...bytes]);
          });
          return own;
        }),
      );
      const batches = Array.from({ length: Math.ceil(count / 4) }, (_, batch) => {
        const all = Array.from({ length: count }, (_, i) => i).slice(4 * batch, 4 * batch + 4);
        return [4 * batch, all.length, ...all];
      });
      assert.deepEqual(taken, batches);
      made.forEach((own, rank) => assert(own.every((start) => start / 4 % size === rank)));
    }
  }
  await inRounds(oneProcess, 0, 4, () => assert.fail(), () => assert.fail());
});
