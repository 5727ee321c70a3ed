import assert from "node:assert/strict";
import type { BufferRange } from "../../src/gpu/command.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import type { Plan } from "../../src/gpu/plan.ts";
import { profile } from "../../src/gpu/profile.ts";
import { TextureCopies } from "../../src/gpu/texture_copies.ts";
import { TexturePool } from "../../src/gpu/texture_pool.ts";
import { add } from "../../src/kernels/vector/add.ts";
import { addInto } from "../../src/kernels/vector/add_into.ts";
import { Context } from "../../src/tensor/context.ts";
import { testGpu } from "../kernels/harness.ts";

const uploads = ({ commands }: Plan) => commands.filter(({ kind }) => kind === "upload").length;

Deno.test("an operand is copied into a texture once, until something is written to it", async () => {
  const gpu = await Gpu.request("lavapipe");
  const context = new Context(gpu);
  const tensor = (value: number) => context.from(new Float32Array(9).fill(value), [9]);
  const [first, second, sum] = [tensor(1), tensor(10), tensor(0)];
  const length = { length: 9, factor: 1 };
  const addTwice = () => {
    context.launch(add, length, { first, second, sum });
    context.launch(add, length, { first, second, sum });
  };
  const changes: readonly [what: string, change: () => void, uploads: number][] = [
    ["nothing", () => {}, 2],
    ["by a kernel", () => context.launch(addInto, length, { source: second, target: first }), 3],
    ["by a copy", () => first.copyFrom(second), 3],
    ["by zeroing", () => second.clear(), 3],
    ["elsewhere", () => sum.clear(), 2],
    ["forgotten", () => gpu.forgetCopies(), 4],
  ];
  for (const [what, change, expected] of changes) {
    const plan = context.capture(() => {
      addTwice();
      change();
      addTwice();
    });
    assert.equal(uploads(plan), expected, what);
    // Every kernel must read the contents as they are when it runs.
    first.write(new Float32Array(9).fill(1));
    second.write(new Float32Array(9).fill(10));
    const sums = { "by a kernel": 21, "by a copy": 20, "by zeroing": 1 }[what] ?? 11;
    gpu.run(plan);
    assert.deepEqual([...await sum.read()], Array(9).fill(sums), what);
    plan.destroy();
  }
  gpu.destroy();
});

Deno.test("outside of plans, copies do not outlive what the host, a plan or its profile writes", async () => {
  const gpu = await Gpu.request("lavapipe");
  const context = new Context(gpu);
  const tensor = (value: number) => context.from(Float32Array.of(value), [1]);
  const [first, second, sum] = [tensor(1), tensor(10), tensor(0)];
  const length = { length: 1, factor: 1 };
  const plan = context.capture(() => context.launch(addInto, length, { source: second, target: first }));
  const added = async () => {
    context.launch(add, length, { first, second, sum });
    return (await sum.read())[0];
  };
  assert.equal(await added(), 11);
  first.write(Float32Array.of(2));
  assert.equal(await added(), 12);
  gpu.run(plan);
  assert.equal(await added(), 22);
  await profile(gpu, plan);
  assert.equal(await added(), 32);
  gpu.destroy();
});

Deno.test("TextureCopies gives up what was not asked for the longest", async () => {
  const { device } = await testGpu();
  let made = 0;
  const copies = new TextureCopies(new TexturePool(device, () => made++), 2);
  const buffer = device.createBuffer({ size: 64, usage: GPUBufferUsage.COPY_SRC });
  const range = (offset: number): BufferRange => ({ buffer, offset, size: 16 });
  const size = { format: "rgba32float", width: 1, rows: 1 } as const;
  let filled = 0;
  const get = (offset: number) => copies.get(range(offset), size, () => filled++);
  get(0);
  get(16);
  get(0);
  assert.equal(filled, 2);
  get(32); // takes the place of 16, which was asked for before 0
  get(0);
  assert.equal(filled, 3);
  get(16);
  assert.equal(filled, 4);
  // A third texture is taken before one of the first two is given back.
  assert.equal(made, 3);
  buffer.destroy();
});
