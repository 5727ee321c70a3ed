import assert from "node:assert/strict";
import { replayGather } from "../../../src/kernels/chains/replay_gather.ts";
import { replayScatter } from "../../../src/kernels/chains/replay_scatter.ts";
import { sgldStep } from "../../../src/kernels/chains/sgld_step.ts";
import { runKernel, values } from "../harness.ts";

const withoutInner = { innerSteps: 0, innerStepSize: 0, innerClamp: 1 };
const clamp = (value: number, bound: number) => Math.max(-bound, Math.min(bound, value));

Deno.test("sgldStep() is equation 3: clamped gradient, noise, clamped image", async () => {
  for (const length of [1, 7, 1003]) {
    for (const gradientClamp of [1, Infinity]) {
      for (const noiseScale of [0, 0.01]) {
        const image = values(length, 1);
        const gradient = values(length, 2, -3, 3);
        const noise = values(length, 3, -2, 2);
        const shape = { length, stepSize: 0.5, gradientClamp, noiseScale, ...withoutInner };
        const { next } = await runKernel(sgldStep, shape, { image, gradient, noise, next: length });
        next.forEach((value, i) => {
          const moved = image[i]! + 0.5 * clamp(gradient[i]!, gradientClamp) + noiseScale * noise[i]!;
          // Two roundings of values below 4.
          assert(Math.abs(value - clamp(moved, 1)) < 5e-7);
        });
      }
    }
  }
});

Deno.test("sgldStep() goes on along the same gradient in inner steps", async () => {
  const length = 1003;
  const [image, gradient, noise] = [values(length, 1), values(length, 2, -3, 3), values(length, 3, -2, 2)];
  const shape = { length, stepSize: 0.25, gradientClamp: Infinity, noiseScale: 0.01 };
  const inner = { innerSteps: 3, innerStepSize: 0.2, innerClamp: 1 };
  const { next } = await runKernel(sgldStep, { ...shape, ...inner }, {
    image,
    gradient,
    noise,
    next: length,
  });
  next.forEach((value, i) => {
    let moved = image[i]! + 0.25 * gradient[i]!;
    for (let k = 0; k < 3; k++) moved = clamp(moved + 0.2 * clamp(gradient[i]!, 1), 1);
    // Five roundings of values below 4.
    assert(Math.abs(value - clamp(moved + 0.01 * noise[i]!, 1)) < 1e-6);
  });
});

Deno.test("replayGather() takes entries, and fresh images where the draw says so", async () => {
  const [batch, pixels, capacity] = [5, 7, 9];
  const buffer = values(capacity * pixels, 1);
  const fresh = values(batch * pixels, 2);
  const draws = Uint32Array.of(8, 0, 3, 3, 1, 0, 1, 0, 0, 1);
  const { start } = await runKernel(replayGather, { batch, pixels, first: 0, count: capacity }, {
    buffer,
    fresh,
    draws,
    start: batch * pixels,
  });
  start.forEach((value, i) => {
    const n = Math.floor(i / pixels);
    const expected = draws[batch + n] === 1 ? fresh[i] : buffer[draws[n]! * pixels + i % pixels];
    assert.equal(value, expected);
  });
});

Deno.test("replayScatter() lets the last of repeated entries win, and stops at divergence", async () => {
  const [batch, pixels, capacity] = [6, 7, 4];
  const before = values(capacity * pixels, 1);
  const images = values(batch * pixels, 2);
  const draws = Uint32Array.of(2, 0, 2, 0, 2, 3, 0, 0, 0, 0, 0, 0);
  const shape = { batch, pixels, first: 0, count: capacity };
  const fine = await runKernel(replayScatter, shape, {
    images,
    draws,
    status: new Uint32Array(4),
    buffer: before,
  });
  const expected = before.slice();
  for (let n = 0; n < batch; n++) {
    expected.set(images.subarray(n * pixels, (n + 1) * pixels), draws[n]! * pixels);
  }
  assert.deepEqual(fine.buffer, expected);
  const status = Uint32Array.of(1, 0, 0, 0);
  const diverged = await runKernel(replayScatter, shape, { images, draws, status, buffer: before });
  assert.deepEqual(diverged.buffer, before);
});

Deno.test("replayGather() and replayScatter() leave alone what lies in other parts of the buffer", async () => {
  const [batch, pixels, first, count] = [4, 3, 5, 2];
  const shape = { batch, pixels, first, count };
  const part = values(count * pixels, 1);
  const images = values(batch * pixels, 2);
  const image = (n: number) => images.subarray(n * pixels, (n + 1) * pixels);
  // Entries before, inside and after the part, and a fresh chain.
  const draws = Uint32Array.of(4, 6, 7, 0, 0, 0, 0, 1);
  const untouched = new Float32Array(batch * pixels).fill(9);
  const { start } = await runKernel(replayGather, shape, {
    buffer: part,
    fresh: images,
    draws,
    start: untouched,
  });
  assert.deepEqual([...start], [9, 9, 9, ...part.subarray(pixels), 9, 9, 9, ...image(3)]);
  const status = new Uint32Array(4);
  const { buffer } = await runKernel(replayScatter, shape, { images, draws, status, buffer: part });
  assert.deepEqual([...buffer], [...part.subarray(0, pixels), ...image(1)]);
});
