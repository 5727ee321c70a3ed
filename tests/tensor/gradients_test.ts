/**
 * Gradients of every differentiable operation against central differences.
 *
 * The scalar f is a weighted sum of the operation's outputs. In float32 the quotient (f(x + h·d) − f(x − h·d)) / 2h has
 * a rounding error of about 1e-7·|f| / h and a truncation error of order h². With h = 2^-6, both stay below 2e-3 of the
 * gradient's length for the operations here, whose third derivatives are of order 1.
 */

import assert from "node:assert/strict";
import { Context } from "../../src/tensor/context.ts";
import { actNorm } from "../../src/tensor/operations/act_norm.ts";
import { add, multiply } from "../../src/tensor/operations/arithmetic.ts";
import { batchNorm } from "../../src/tensor/operations/batch_norm.ts";
import { conv2d } from "../../src/tensor/operations/conv2d/operation.ts";
import { dropout } from "../../src/tensor/operations/dropout.ts";
import { globalAveragePool } from "../../src/tensor/operations/global_average_pool.ts";
import { instanceNorm, layerNorm } from "../../src/tensor/operations/image_norms.ts";
import { leakyRelu } from "../../src/tensor/operations/leaky_relu.ts";
import { linear } from "../../src/tensor/operations/linear.ts";
import { logSumExp } from "../../src/tensor/operations/log_sum_exp.ts";
import { mean, sum } from "../../src/tensor/operations/reduce.ts";
import { concatenate, rows } from "../../src/tensor/operations/rows.ts";
import { selectColumn } from "../../src/tensor/operations/select_column.ts";
import { softmaxCrossEntropy } from "../../src/tensor/operations/softmax_cross_entropy.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { testGpu, values } from "../kernels/harness.ts";

const step = 2 ** -6;
const tolerance = 2e-3;

/** An operation on tensors of the given shapes. Its gradient with respect to each of them is checked. */
interface Case {
  readonly shapes: readonly (readonly number[])[];
  readonly apply: (context: Context, inputs: readonly Tensor[]) => Tensor;
  /** Range of the inputs, by default [−1, 1]. */
  readonly range?: readonly [number, number];
}

const labels = (context: Context, rows: number, classes: number) =>
  context.from(Uint32Array.from({ length: rows }, (_, i) => i * 7 % classes), [rows]);

const norm =
  (statistics: "batch" | "running", segments = 1) =>
  (context: Context, [x, scale, shift]: readonly Tensor[]) =>
    batchNorm(x!, {
      scale: scale!,
      shift: shift!,
      running: context.from(Float32Array.from({ length: 16 }, (_, i) => i < 8 ? 0.1 * i : 0.5 + 0.1 * i), [
        2,
        8,
      ]),
      mode: { statistics, updateRunning: false, segments },
      epsilon: 1e-5,
      momentum: 0.9,
      slope: 1,
    });

const convolution = (stride: number, padding: number) => (_: Context, [x, weight, bias]: readonly Tensor[]) =>
  conv2d(x!, weight!, bias!, { stride, padding });

const cases: Readonly<Record<string, Case>> = {
  "conv2d 3×3": { shapes: [[2, 5, 7, 4], [3, 3, 4, 8], [8]], apply: convolution(1, 1) },
  "conv2d 3×3 stride 2 of 1 channel": { shapes: [[3, 7, 5, 1], [3, 3, 1, 4], [4]], apply: convolution(2, 1) },
  "conv2d 3×3 of 5 channels": { shapes: [[2, 4, 3, 5], [3, 3, 5, 8], [8]], apply: convolution(1, 1) },
  "conv2d 1×1 stride 2": { shapes: [[2, 6, 6, 8], [1, 1, 8, 4], [4]], apply: convolution(2, 0) },
  "batchNorm with batch statistics": { shapes: [[3, 3, 2, 8], [8], [8]], apply: norm("batch") },
  "batchNorm of three segments": { shapes: [[6, 3, 2, 8], [8], [8]], apply: norm("batch", 3) },
  "batchNorm with running statistics": { shapes: [[3, 3, 2, 8], [8], [8]], apply: norm("running") },
  "instanceNorm": {
    shapes: [[3, 3, 2, 8], [8], [8]],
    apply: (_, [x, scale, shift]) =>
      instanceNorm(x!, { scale: scale!, shift: shift!, epsilon: 0.1, slope: 1 }),
  },
  "layerNorm": {
    shapes: [[3, 3, 2, 8], [8], [8]],
    apply: (_, [x, scale, shift]) => layerNorm(x!, { scale: scale!, shift: shift!, epsilon: 1e-5, slope: 1 }),
  },
  "actNorm": {
    shapes: [[3, 3, 2, 8], [8], [8]],
    apply: (_, [x, scale, location]) => actNorm(x!, { scale: scale!, location: location! }, 1),
  },
  "dropout": {
    shapes: [[3, 7, 5]],
    apply: (context, [x]) => dropout(x!, 0.3, context.from(Uint32Array.of(1, 2, 3, 4), [4])),
  },
  "leakyRelu of positive values": {
    shapes: [[3, 7]],
    apply: (_, [x]) => leakyRelu(x!, 0.2),
    range: [0.1, 1],
  },
  "leakyRelu of negative values": {
    shapes: [[3, 7]],
    apply: (_, [x]) => leakyRelu(x!, 0.2),
    range: [-1, -0.1],
  },
  "add with a factor": { shapes: [[3, 5], [3, 5]], apply: (_, [a, b]) => add(a!, b!, -2.5) },
  "add of a tensor to itself": { shapes: [[3, 5]], apply: (_, [a]) => add(a!, a!, 3) },
  "multiply": { shapes: [[3, 5], [3, 5]], apply: (_, [a, b]) => multiply(a!, b!) },
  "multiply of a tensor by itself": { shapes: [[3, 5]], apply: (_, [a]) => multiply(a!, a!) },
  "globalAveragePool": { shapes: [[3, 3, 5, 8]], apply: (_, [x]) => globalAveragePool(x!) },
  "linear": { shapes: [[5, 7], [7, 3], [3]], apply: (_, [x, w, b]) => linear(x!, w!, b!) },
  "linear of a wide layer": { shapes: [[5, 8], [8, 12], [12]], apply: (_, [x, w, b]) => linear(x!, w!, b!) },
  "logSumExp": { shapes: [[5, 7]], apply: (_, [x]) => logSumExp(x!), range: [-3, 3] },
  "softmaxCrossEntropy": {
    shapes: [[5, 7]],
    apply: (context, [x]) => softmaxCrossEntropy(x!, labels(context, 5, 7)).losses,
    range: [-3, 3],
  },
  "selectColumn": { shapes: [[5, 7]], apply: (context, [x]) => selectColumn(x!, labels(context, 5, 7)) },
  "concatenate": { shapes: [[2, 3], [1, 3], [3, 3]], apply: (_, parts) => concatenate(parts) },
  "concatenate of a tensor with itself": { shapes: [[2, 3]], apply: (_, [x]) => concatenate([x!, x!]) },
  "rows": { shapes: [[5, 3, 7]], apply: (_, [x]) => rows(x!, 1, 3) },
  "rows that overlap": { shapes: [[5, 7]], apply: (_, [x]) => multiply(rows(x!, 1, 3), rows(x!, 2, 3)) },
  "sum": { shapes: [[3, 11]], apply: (_, [x]) => sum(x!) },
  "mean": { shapes: [[3, 11]], apply: (_, [x]) => mean(x!) },
};

for (const [name, { shapes, apply, range: [low, high] = [-1, 1] }] of Object.entries(cases)) {
  Deno.test(`gradient of ${name} equals central differences`, async () => {
    const context = new Context(await testGpu());
    const points = shapes.map((shape, i) => values(shape.reduce((a, b) => a * b), i + 1, low, high));

    const evaluate = (inputs: readonly Tensor[]): Tensor => {
      const output = apply(context, inputs);
      const weights = context.from(values(output.size, 99), output.shape);
      return sum(multiply(output, weights));
    };
    const valueAt = async (data: readonly Float32Array[]): Promise<number> => {
      using value = context.scope(() => evaluate(data.map((values, i) => context.from(values, shapes[i]!))));
      return (await value.read())[0]!;
    };

    const inputs = points.map((data, i) => context.from(data, shapes[i]!));
    const { gradients } = context.differentiate({ inputs }, () => evaluate(inputs));
    for (const [i, gradient] of (await context.read(gradients)).entries()) {
      const length = Math.hypot(...gradient);
      for (let trial = 0; trial < 4; trial++) {
        const direction = values(gradient.length, 10 * trial + i + 5);
        const moved = (sign: number) =>
          points.map((data, j) =>
            j === i ? data.map((value, k) => value + sign * step * direction[k]!) : data
          );
        const quotient = (await valueAt(moved(1)) - await valueAt(moved(-1))) / (2 * step);
        const expected = gradient.reduce((total, value, k) => total + value * direction[k]!, 0);
        const error = Math.abs(quotient - expected) /
          (length * Math.hypot(...direction) / Math.sqrt(gradient.length));
        assert(error < tolerance, `input ${i}: ${expected}, central difference ${quotient}`);
      }
    }
  });
}
