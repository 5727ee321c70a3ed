import assert from "node:assert/strict";
import { adamStep } from "../../../src/kernels/optimiser/adam_step.ts";
import { samAscent } from "../../../src/kernels/optimiser/sam_ascent.ts";
import { samNorm, samNormPartials } from "../../../src/kernels/optimiser/sam_norm.ts";
import { samScale } from "../../../src/kernels/optimiser/sam_scale.ts";
import { sgdStep } from "../../../src/kernels/optimiser/sgd_step.ts";
import { relativeError, runKernel, values } from "../harness.ts";

/** Lengths that are not multiples of vectors or workgroups. */
const lengths = [1, 3, 255, 10_003];
/** A few float32 roundings of values of order 1. */
const tolerance = 1e-6;
const fine = new Uint32Array(4);
const diverged = Uint32Array.of(1, 0, 0, 0);

Deno.test("samNorm(), samScale() and samAscent() climb as the papers say, plain and adaptive", async () => {
  for (const length of lengths) {
    for (const adaptive of [false, true]) {
      const parameters = values(length, 1, -2, 2);
      const gradient = values(length, 2);
      const count = samNormPartials(length);
      const shape = { length, adaptive };
      const { partials } = await runKernel(samNorm, shape, { parameters, gradient, partials: count });
      const { scale } = await runKernel(samScale, { partials: count, rho: 2 }, { partials, scale: 2 });
      const climbed = await runKernel(samAscent, shape, { gradient, scale, parameters });
      const t = parameters.map((value) => adaptive ? Math.abs(value) : 1);
      const norm = Math.hypot(...gradient.map((value, i) => value * t[i]!));
      assert(Math.abs(scale[1]! / norm - 1) < tolerance);
      assert(Math.abs(scale[0]! / (2 / (norm + 1e-12)) - 1) < tolerance);
      const expected = parameters.map((value, i) => value + 2 / norm * t[i]! ** 2 * gradient[i]!);
      assert(relativeError(climbed.parameters, expected) < tolerance);
    }
  }
});

Deno.test("samNorm() and samScale() keep six digits over millions of values", async () => {
  const length = 3_000_001;
  const gradient = values(length, 3);
  const count = samNormPartials(length);
  const shape = { length, adaptive: false };
  const { partials } = await runKernel(samNorm, shape, { parameters: gradient, gradient, partials: count });
  const { scale } = await runKernel(samScale, { partials: count, rho: 1 }, { partials, scale: 2 });
  const norm = Math.sqrt(gradient.reduce((sum, value) => sum + value * value, 0));
  assert(Math.abs(scale[1]! / norm - 1) < 1e-6);
});

Deno.test("sgdStep() is PyTorch's over three steps, and does nothing once training has diverged", async () => {
  const [momentum, weightDecay, rate] = [0.9, 5e-4, 0.1];
  for (const length of lengths) {
    let state: Record<"velocity" | "parameters", Float32Array> = {
      velocity: new Float32Array(length),
      parameters: values(length, 1),
    };
    const expected = { velocity: new Float64Array(length), parameters: Float64Array.from(state.parameters) };
    const schedule = Float32Array.of(rate, 1, 1, 0);
    for (let step = 0; step < 3; step++) {
      const gradient = values(length, 10 + step);
      const shape = { length, momentum, weightDecay };
      state = await runKernel(sgdStep, shape, { ...state, gradient, schedule, status: fine });
      gradient.forEach((value, i) => {
        expected.velocity[i] = momentum * expected.velocity[i]! + value +
          weightDecay * expected.parameters[i]!;
        expected.parameters[i]! -= rate * expected.velocity[i]!;
      });
      assert(relativeError(state.velocity, expected.velocity) < tolerance);
      assert(relativeError(state.parameters, expected.parameters) < tolerance);
      const halted = await runKernel(sgdStep, shape, { ...state, gradient, schedule, status: diverged });
      assert.deepEqual([halted.velocity, halted.parameters], [state.velocity, state.parameters]);
    }
  }
});

Deno.test("adamStep() is PyTorch's over three steps, and does nothing once training has diverged", async () => {
  const [beta1, beta2, epsilon, weightDecay, rate] = [0.9, 0.999, 1e-8, 5e-4, 1e-3];
  for (const length of lengths) {
    const zeros = () => new Float32Array(length);
    let state: Record<"firstMoment" | "secondMoment" | "parameters", Float32Array> = {
      firstMoment: zeros(),
      secondMoment: zeros(),
      parameters: values(length, 1),
    };
    const [first, second] = [new Float64Array(length), new Float64Array(length)];
    const parameters = Float64Array.from(state.parameters);
    for (let step = 1; step <= 3; step++) {
      const gradient = values(length, 20 + step);
      const [c1, c2] = [1 - beta1 ** step, 1 - beta2 ** step];
      const schedule = Float32Array.of(rate, c1, c2, 0);
      const shape = { length, beta1, beta2, epsilon, weightDecay };
      state = await runKernel(adamStep, shape, { ...state, gradient, schedule, status: fine });
      gradient.forEach((value, i) => {
        const g = value + weightDecay * parameters[i]!;
        first[i] = beta1 * first[i]! + (1 - beta1) * g;
        second[i] = beta2 * second[i]! + (1 - beta2) * g * g;
        parameters[i]! -= rate / c1 * first[i]! / (Math.sqrt(second[i]!) / Math.sqrt(c2) + epsilon);
      });
      assert(relativeError(state.firstMoment, first) < tolerance);
      assert(relativeError(state.secondMoment, second) < tolerance);
      assert(relativeError(state.parameters, parameters) < tolerance);
      const halted = await runKernel(adamStep, shape, { ...state, gradient, schedule, status: diverged });
      assert.deepEqual(halted.parameters, state.parameters);
    }
  }
});
