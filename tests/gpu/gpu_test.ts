import assert from "node:assert/strict";
import { GpuError, GpuLostError } from "../../src/errors.ts";
import { BufferPool, sizeClass } from "../../src/gpu/buffer_pool.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { addInto } from "../../src/kernels/vector/add_into.ts";
import { Context } from "../../src/tensor/context.ts";
import { testGpu } from "../kernels/harness.ts";
import { paperAdapter, withAdapter } from "../paper_adapter.ts";
import { refuses } from "../refusal.ts";

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

Deno.test("Gpu.runAtPace() lets the host work at each cut of a plan, on all that comes before it", async () => {
  const gpu = await testGpu();
  const context = new Context(gpu);
  const [one, total] = [context.from(Float32Array.of(1), [1]), context.zeros([1])];
  const add = () => context.launch(addInto, { length: 1, factor: 1 }, { source: one, target: total });
  const plan = context.capture(() => {
    add();
    gpu.cut();
    add();
    add();
    gpu.cut();
    add();
  });
  assert.deepEqual(plan.stretches.map(({ length }) => length), [1, 2, 1]);
  const seen: number[] = [];
  const atCut = async () => {
    const [value] = await total.read();
    seen.push(value!);
    total.write(Float32Array.of(10 * value!));
  };
  await gpu.runAtPace(plan, atCut);
  await gpu.runAtPace(plan, atCut);
  assert.deepEqual(seen, [1, 12, 122, 1222]);
  assert.deepEqual([...await total.read()], [12221]);
  assert.throws(() => gpu.run(plan), GpuError);
  assert.throws(() => gpu.cut(), GpuError);
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
  await assert.rejects(() => gpu.read([]), GpuLostError);
  gpu.destroy();
});

Deno.test("Gpu: a device that is lost before, while or after work is recorded is told by the next wait", async () => {
  const work = (context: Context) => {
    const total = context.zeros([3]);
    context.launch(addInto, { length: 3, factor: 2 }, {
      source: context.from(new Float32Array(3), [3]),
      target: total,
    });
    return total;
  };
  const waits: readonly ((gpu: Gpu) => Promise<unknown>)[] = [
    (gpu) => (gpu.device.destroy(), work(new Context(gpu)).read()),
    (gpu) => {
      const context = new Context(gpu);
      gpu.device.destroy();
      return work(context).read();
    },
    (gpu) => {
      const total = work(new Context(gpu));
      gpu.device.destroy();
      return total.read();
    },
    (gpu) => {
      const reading = work(new Context(gpu)).read();
      gpu.device.destroy();
      return reading.then(() => gpu.read([]));
    },
  ];
  for (const wait of waits) {
    const gpu = await Gpu.request();
    await refuses(wait(gpu), GpuLostError, /^the GPU device was lost: /);
    gpu.destroy();
  }
});

Deno.test("Gpu.read() does not wait for ever", async () => {
  const gpu = await Gpu.request();
  gpu.watchdog.shortest = gpu.watchdog.shortestCompiling = 200;
  const create = gpu.device.createBuffer.bind(gpu.device);
  gpu.device.createBuffer = (descriptor) =>
    Object.assign(create(descriptor), { mapAsync: () => new Promise<undefined>(() => {}) });
  await refuses(gpu.read([]), GpuLostError, /^the GPU has not answered for \d+ s$/);
  await refuses(gpu.read([]), GpuLostError, /^the GPU has not answered for \d+ s$/);
  gpu.destroy();
});

Deno.test("Gpu.request() says in a line why an adapter gives no device", async () => {
  const request = GPUAdapter.prototype.requestDevice;
  GPUAdapter.prototype.requestDevice = () => Promise.reject(new DOMException("not\nnow", "OperationError"));
  try {
    await refuses(Gpu.request(), GpuError, /cannot be opened: not now$/);
  } finally {
    GPUAdapter.prototype.requestDevice = request;
  }
});

Deno.test("a browser's software adapter is known by its architecture, where it has no description", async () => {
  const info = { vendor: "google", architecture: "swiftshader", device: "", description: "" };
  const gpu = await withAdapter({ ...paperAdapter(), info }, () => Gpu.request());
  assert.equal(gpu.adapterFamily, "slow-compiler");
  assert.equal(gpu.kind, undefined);
});

Deno.test("a GPU's kind is asked for GPUs only", async () => {
  const info = { vendor: "intel", architecture: "xe-hpg", device: "", description: "" };
  assert.equal((await withAdapter({ ...paperAdapter(), info }, () => Gpu.request())).kind, "intel");
  assert.equal(
    (await withAdapter({ ...paperAdapter(), info }, () => Gpu.request("lavapipe"))).kind,
    undefined,
  );
});
