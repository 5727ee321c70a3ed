import assert from "node:assert/strict";
import { add } from "../../src/kernels/add.ts";
import { runKernel, values } from "./harness.ts";

Deno.test("add() sums vectors whose length does not divide the workgroup", async () => {
  for (const length of [1, 3, 257, 1000]) {
    const first = values(length, 1);
    const second = values(length, 2);
    const { sum } = await runKernel(add, { length, factor: 1 }, { first, second, sum: length });
    assert.deepEqual(sum, first.map((value, i) => value + second[i]!));
  }
});
