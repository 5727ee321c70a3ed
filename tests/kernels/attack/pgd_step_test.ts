import assert from "node:assert/strict";
import { pgdStepL2, pgdStepLinf } from "../../../src/kernels/attack/pgd_step.ts";
import { relativeError, runKernel, values } from "../harness.ts";

const clamp = (value: number, low: number, high: number) => Math.max(low, Math.min(high, value));
const norm = (row: readonly number[]) => Math.hypot(...row);

for (const [batch, pixels] of [[1, 1], [3, 63], [5, 192], [2, 1001]] as const) {
  const size = batch * pixels;
  const operands = {
    original: values(size, 1),
    image: values(size, 1).map((value, i) => clamp(value + 0.05 * values(size, 2)[i]!, -1, 1)),
    gradient: values(size, 3, -0.01, 0.01).map((value, i) => i % 17 === 0 ? 0 : value),
    next: size,
  };
  const shape = { batch, pixels, stepSize: 0.03, radius: 0.06 };

  Deno.test(`pgdStepLinf() on ${batch}×${pixels} is the definition and stays in the ball`, async () => {
    const { next } = await runKernel(pgdStepLinf, shape, operands);
    next.forEach((value, i) => {
      const moved = operands.image[i]! + 0.03 * Math.sign(operands.gradient[i]!);
      const expected = clamp(clamp(moved, operands.original[i]! - 0.06, operands.original[i]! + 0.06), -1, 1);
      assert(Math.abs(value - expected) < 2e-7);
      assert(Math.abs(value - operands.original[i]!) <= 0.06 + 1e-7 && Math.abs(value) <= 1);
    });
  });

  Deno.test(`pgdStepL2() on ${batch}×${pixels} is the definition and stays in the ball`, async () => {
    for (const radius of [0.02, 5]) {
      const { next } = await runKernel(pgdStepL2, { ...shape, radius }, operands);
      for (let n = 0; n < batch; n++) {
        const row = (data: Float32Array) => [...data.subarray(n * pixels, (n + 1) * pixels)];
        const [original, image, gradient] = [operands.original, operands.image, operands.gradient].map(row);
        const length = Math.max(norm(gradient!), 1e-30);
        const offset = image!.map((value, p) => value + 0.03 * gradient![p]! / length - original![p]!);
        const shrink = Math.min(norm(offset), radius) / (norm(offset) + 1e-10);
        const expected = original!.map((value, p) => clamp(value + shrink * offset[p]!, -1, 1));
        assert(relativeError(row(next), expected) < 1e-6);
        assert(norm(row(next).map((value, p) => value - original![p]!)) <= radius * (1 + 1e-5));
      }
    }
  });
}
