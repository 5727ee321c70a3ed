import assert from "node:assert/strict";
import { sgldStep } from "../../src/jem/sgld.ts";
import { Context } from "../../src/tensor/context.ts";
import { multiply } from "../../src/tensor/operations/arithmetic.ts";
import { conv2d } from "../../src/tensor/operations/conv2d/operation.ts";
import { globalAveragePool } from "../../src/tensor/operations/global_average_pool.ts";
import { logSumExp } from "../../src/tensor/operations/log_sum_exp.ts";
import { sum } from "../../src/tensor/operations/reduce.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { relativeError, testGpu, values } from "../kernels/harness.ts";

const clamp = (value: number, bound: number) => Math.max(-bound, Math.min(bound, value));

Deno.test("PYLD's inner steps follow the gradient of ⟨f₀(x), p⟩ by the first layer, computed anew in each", async () => {
  const context = new Context(await testGpu());
  const shape = [2, 6, 5, 3];
  const weight = context.from(values(3 * 3 * 3 * 8, 2), [3, 3, 3, 8]);
  const bias = context.from(values(8, 3), [8]);
  const firstLayer = (x: Tensor) => conv2d(x, weight, bias, { stride: 1, padding: 1 });
  const rest = (hidden: Tensor) => logSumExp(globalAveragePool(multiply(hidden, hidden)));
  const gradient = async (variable: Tensor, value: () => Tensor) => {
    const { gradients } = context.differentiate({ inputs: [variable] }, value);
    return await gradients[0]!.read();
  };
  const images = context.from(values(180, 1, -0.9, 0.9), shape);
  const inner = { steps: 4, stepSize: 0.3, clamp: 0.1 };
  const options = { steps: 1, stepSize: 0.5, noiseScale: 0, gradientClamp: 0.2, inner };
  const moved = await sgldStep((x) => rest(firstLayer(x)), images, options).read();

  // As in the official code, p is the gradient with respect to the first layer's output, and ⟨f₀(x), p⟩ is
  // differentiated at every x.
  const hidden = firstLayer(images);
  const p = context.from(await gradient(hidden, () => sum(rest(hidden))), hidden.shape);
  const outer = await gradient(images, () => sum(rest(firstLayer(images))));
  let x = Float64Array.from(await images.read(), (value, i) => value + 0.5 * clamp(outer[i]!, 0.2));
  for (let k = 0; k < inner.steps; k++) {
    const point = context.from(Float32Array.from(x), shape);
    const direction = await gradient(point, () => sum(multiply(firstLayer(point), p)));
    x = x.map((value, i) => clamp(value + 0.3 * clamp(direction[i]!, 0.1), 1));
  }
  assert(outer.some((value) => Math.abs(value) > 0.1) && outer.some((value) => Math.abs(value) < 0.1));
  assert(relativeError(moved, x) < 2e-6);
});
