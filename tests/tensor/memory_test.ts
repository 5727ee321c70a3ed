import assert from "node:assert/strict";
import { Context } from "../../src/tensor/context.ts";
import { add, multiply } from "../../src/tensor/operations/arithmetic.ts";
import { sum } from "../../src/tensor/operations/reduce.ts";
import { testGpu, values } from "../kernels/harness.ts";

Deno.test("Context.scope() frees what was made in it, except the result", async () => {
  const context = new Context(await testGpu());
  const before = context.gpu.pool.liveBuffers;
  const kept = context.scope(() => {
    const a = context.from(values(10), [10]);
    using b = add(a, a);
    return multiply(a, b);
  });
  assert.equal(context.gpu.pool.liveBuffers, before + 1);
  kept.dispose();
  kept.dispose();
  assert.equal(context.gpu.pool.liveBuffers, before);
});

Deno.test("Context.differentiate() leaves nothing behind but value and gradients", async () => {
  const context = new Context(await testGpu());
  const x = context.from(values(10), [10]);
  const before = context.gpu.pool.liveBuffers;
  for (let i = 0; i < 3; i++) {
    context.scope(() => {
      const { value, gradients } = context.differentiate({ inputs: [x] }, () => {
        const square = multiply(x, x);
        return sum(add(multiply(square, x), square, 2));
      });
      assert(value.size === 1 && gradients.length === 1);
    });
    assert.equal(context.gpu.pool.liveBuffers, before);
  }
});

Deno.test("Context.differentiate() gives zeros for a variable that the value does not depend on", async () => {
  const context = new Context(await testGpu());
  const [x, y] = [context.from(values(5), [5]), context.from(values(6), [6])];
  const { gradients } = context.differentiate({ inputs: [x, y] }, () => sum(x));
  const [byX, byY] = await context.read(gradients);
  assert.deepEqual([...byX!], [1, 1, 1, 1, 1]);
  assert.deepEqual([...byY!], [0, 0, 0, 0, 0, 0]);
});

Deno.test("Tensor.slice() refuses what does not fit or cannot be bound", async () => {
  const context = new Context(await testGpu());
  const x = context.zeros([256]);
  assert.throws(() => x.slice(200, [100]), /outside/);
  assert.throws(() => x.slice(1, [10]), /multiple/);
  assert.deepEqual(x.slice(64, [3, 4]).shape, [3, 4]);
});
