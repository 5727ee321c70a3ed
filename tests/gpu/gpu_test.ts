import assert from "node:assert/strict";
import { GpuError } from "../../src/errors.ts";
import { BufferPool, sizeClass } from "../../src/gpu/buffer_pool.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { addInto } from "../../src/kernels/vector/add_into.ts";
import { Context } from "../../src/tensor/context.ts";
import { testGpu } from "../kernels/harness.ts";

Deno.test("sizeClass() wastes at most a quarter", () => {
  for (const bytes of [1, 255, 256, 257, 300, 1000, 1025, 4096, 5000, 1e6, 123456789]) {
    const capacity = sizeClass(bytes);
    assert(capacity >= bytes && capacity % 64 === 0);
    assert(bytes < 256 || capacity <= 1.25 * bytes + 64, `${bytes} → ${capacity}`);
  }
});

Deno.test("BufferPool reuses what was given back", async () => {
  const { device } = await testGpu();
  let made = 0;
  const pool = new BufferPool(device, () => made++);
  const first = pool.acquire(1000);
  pool.release(first);
  assert.equal(pool.acquire(1010).buffer, first.buffer);
  pool.acquire(1000);
  assert.equal(made, 2);
  pool.destroy();
});

Deno.test("Gpu.run() repeats a captured plan without making buffers, bind groups or pipelines", async () => {
  const gpu = await testGpu();
  const context = new Context(gpu);
  const one = context.from(Float32Array.of(1, 2, 3), [3]);
  const total = context.zeros([3]);
  const plan = context.capture(() =>
    context.launch(addInto, { length: 3, factor: 1 }, { source: one, target: total })
  );
  gpu.run(plan);
  const { buffers, bindGroups, pipelines } = gpu.counters;
  for (let i = 0; i < 9; i++) gpu.run(plan);
  assert.deepEqual({ buffers, bindGroups, pipelines }, {
    buffers: gpu.counters.buffers,
    bindGroups: gpu.counters.bindGroups,
    pipelines: gpu.counters.pipelines,
  });
  assert.deepEqual([...await total.read()], [10, 20, 30]);
  plan.destroy();
});

Deno.test("Gpu.write() refuses host data inside a plan", async () => {
  const context = new Context(await testGpu());
  assert.throws(() => context.capture(() => void context.from(Float32Array.of(1), [1])), GpuError);
  assert.equal(context.gpu.capturing, false);
});

Deno.test("Gpu.read() throws what the device reported", async () => {
  const gpu = await Gpu.request();
  const broken = {
    name: "broken",
    wgsl: "@compute @workgroup_size(1) fn main() { nonsense(); }",
    entryPoint: "main",
    constants: {},
    access: [],
  };
  gpu.dispatch(broken, [], [1, 1, 1]);
  await assert.rejects(() => gpu.read([]), GpuError);
  gpu.destroy();
});
