import assert from "node:assert/strict";
import { Context } from "../../src/tensor/context.ts";
import { dropout } from "../../src/tensor/operations/dropout.ts";
import { testGpu } from "../kernels/harness.ts";

Deno.test("dropout() drops the given share and scales the rest", async () => {
  const context = new Context(await testGpu());
  const stream = context.from(Uint32Array.of(1, 0, 7, 0), [4]);
  const length = 40_003;
  const ones = context.from(new Float32Array(length).fill(1), [length]);
  for (const rate of [0, 0.25, 0.9]) {
    const kept = await dropout(ones, rate, stream).read();
    const scale = Math.fround(1 / (1 - rate));
    assert(kept.every((value) => value === 0 || Math.abs(value - scale) <= scale * 2 ** -22));
    const dropped = kept.filter((value) => value === 0).length / length;
    // The bound is five standard errors of a share of 40,003 draws.
    assert(Math.abs(dropped - rate) <= 5 * Math.sqrt(rate * (1 - rate) / length), `${dropped}`);
  }
});

Deno.test("dropout() drops other values at every use, and the same ones from the same stream", async () => {
  const context = new Context(await testGpu());
  const ones = context.from(new Float32Array(1000).fill(1), [1000]);
  const draw = async () => {
    const stream = context.from(Uint32Array.of(1, 0, 7, 0), [4]);
    const [first, second] = [dropout(ones, 0.5, stream), dropout(ones, 0.5, stream)];
    const [calls] = await context.read([stream]);
    return { masks: await context.read([first, second]), calls: new Uint32Array(calls!.buffer)[3] };
  };
  const { masks, calls } = await draw();
  assert.equal(calls, 2);
  assert.notDeepEqual(masks[0], masks[1]);
  assert.deepEqual((await draw()).masks, masks);
});
