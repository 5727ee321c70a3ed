import assert from "node:assert/strict";
import { ShapeError } from "../../src/errors.ts";
import { Context } from "../../src/tensor/context.ts";
import { concatenate, rows } from "../../src/tensor/operations/rows.ts";
import { testGpu, values } from "../kernels/harness.ts";

Deno.test("rows() takes apart what concatenate() has put together, wherever the parts begin", async () => {
  const context = new Context(await testGpu());
  const parts = [2, 1, 4].map((count, i) => context.from(values(count * 15, i + 1), [count, 3, 5]));
  const all = concatenate(parts);
  assert.deepEqual(all.shape, [7, 3, 5]);
  const contents = await context.read([all, ...parts]);
  assert.deepEqual([...contents[0]!], contents.slice(1).flatMap((part) => [...part]));
  const again = [rows(all, 0, 2), rows(all, 2, 1), rows(all, 3, 4)];
  assert.deepEqual(await context.read(again), contents.slice(1));
  assert.deepEqual(again.map(({ shape }) => shape), parts.map(({ shape }) => shape));
});

Deno.test("rows() and concatenate() refuse what does not fit", async () => {
  const context = new Context(await testGpu());
  const x = context.zeros([4, 3]);
  assert.throws(() => rows(x, 2, 3), ShapeError);
  assert.throws(() => rows(x, -1, 2), ShapeError);
  assert.throws(() => concatenate([x, context.zeros([4, 2])]), ShapeError);
});
