import assert from "node:assert/strict";
import { Gpu } from "../../src/gpu/gpu.ts";
import { ReplayBuffer } from "../../src/jem/replay_buffer.ts";
import { Context } from "../../src/tensor/context.ts";

const shape = [4, 4, 1] as const;
const capacity = 20;
const image = (value: number) => new Float32Array(16).fill(value);
const images = (values: readonly number[]) => Float32Array.from(values.flatMap((value) => [...image(value)]));

/** A context on a device that can bind `bytes` bytes at a time. */
async function contextBinding(bytes: number): Promise<Context> {
  const gpu = await Gpu.request();
  const { limits } = gpu.device;
  const smaller = {
    maxBufferSize: limits.maxBufferSize,
    maxStorageBufferBindingSize: bytes,
    maxComputeWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
    maxTextureDimension2D: limits.maxTextureDimension2D,
    minStorageBufferOffsetAlignment: limits.minStorageBufferOffsetAlignment,
  };
  Object.defineProperty(gpu.device, "limits", { value: smaller });
  return new Context(gpu);
}

/** Fills a buffer across the boundaries of its parts, takes starts from it and puts ends back. */
async function used(
  context: Context,
): Promise<{ parts: number; starts: Float32Array; stored: Float32Array }> {
  const buffer = new ReplayBuffer(context, capacity, shape);
  for (let first = 0; first < capacity; first += 10) {
    const values = Array.from({ length: 10 }, (_, i) => first + i);
    buffer.fill(first, context.from(images(values), [10, ...shape]));
  }
  const draws = context.from(Uint32Array.of(19, 0, 7, 7, 3, 0, 0, 0, 0, 1), [10]);
  const fresh = context.from(images([100, 101, 102, 103, 104]), [5, ...shape]);
  const starts = await buffer.start(draws, fresh).read();
  const ends = context.from(images([200, 201, 202, 203, 204]), [5, ...shape]);
  buffer.store(ends, draws, context.zeros([4], "uint32"));
  return { parts: buffer.images.parts.length, starts, stored: await buffer.images.read() };
}

Deno.test("ReplayBuffer in several parts is what it is in one", async () => {
  const whole = await used(await contextBinding(2 ** 20));
  // Each part holds seven images of 64 bytes.
  const split = await used(await contextBinding(7 * 64 + 16));
  assert.deepEqual([whole.parts, split.parts], [1, 3]);
  assert.deepEqual(split.starts, images([19, 0, 7, 7, 104]));
  const expected = Array.from({ length: capacity }, (_, i) => i);
  for (const [entry, value] of [[19, 200], [0, 201], [7, 203], [3, 204]] as const) expected[entry] = value;
  assert.deepEqual(split.stored, images(expected));
  assert.deepEqual([whole.starts, whole.stored], [split.starts, split.stored]);
});

Deno.test("ReplayBuffer is written as a whole, in several parts as well", async () => {
  const buffer = new ReplayBuffer(await contextBinding(7 * 64 + 16), capacity, shape);
  const values = images(Array.from({ length: capacity }, (_, i) => 3 * i));
  buffer.images.write(values);
  assert.deepEqual(await buffer.images.read(), values);
  assert.throws(() => buffer.images.write(new Float32Array(3)), { name: "ShapeError" });
});
