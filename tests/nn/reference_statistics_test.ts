import assert from "node:assert/strict";
import { ReferenceStatistics } from "../../src/nn/reference_statistics.ts";
import { type Architecture, frozenTraining, WideResNet } from "../../src/nn/wide_resnet.ts";
import { Context } from "../../src/tensor/context.ts";
import type { NormMode } from "../../src/tensor/operations/batch_norm.ts";
import { sum } from "../../src/tensor/operations/reduce.ts";
import { relativeError, testGpu, values } from "../kernels/harness.ts";

const architecture: Architecture = {
  ...{ depth: 10, width: 1, classes: 5, channels: 3, imageSize: 12, norm: "batch" },
  ...{ dropout: 0.3, unconditional: false },
};
const pixels = 12 * 12 * 3;
const context = new Context(await testGpu());
const model = new WideResNet(context, architecture, 1);
const batch = values(6 * pixels, 2);

/** log p̃ of images, and its gradient with respect to the images. */
async function scored(images: Float32Array, mode: NormMode): Promise<[Float32Array, Float32Array]> {
  const count = images.length / pixels;
  using x = context.from(images, [count, 12, 12, 3]);
  let scores = context.empty([count]);
  const { gradients } = context.differentiate({ inputs: [x] }, () => {
    scores = model.energyScore(x, mode).retain();
    return sum(scores);
  });
  const [score, gradient] = await context.read([scores, gradients[0]!]);
  return [score as Float32Array, gradient as Float32Array];
}

Deno.test("an image sees of a reference what it sees as one of its batch", async () => {
  const references = new ReferenceStatistics(context, model.runningStatistics.values.size, 6);
  const tracked = model.runningStatistics.batchesTracked;
  const running = await model.runningStatistics.values.read();
  // No dropout, so that both compute the same.
  const [scores, gradients] = await scored(batch, { ...frozenTraining, references });
  for (const [first, count] of [[0, 6], [1, 2], [5, 1]] as const) {
    const some = batch.subarray(first * pixels, (first + count) * pixels);
    const mode: NormMode = { statistics: "reference", updateRunning: false, references };
    const [score, gradient] = await scored(some, mode);
    assert(relativeError(score, scores.subarray(first, first + count)) < 1e-6);
    assert(relativeError(gradient, gradients.subarray(first * pixels, (first + count) * pixels)) < 1e-5);
  }
  assert.equal(model.runningStatistics.batchesTracked, tracked);
  assert.deepEqual(await model.runningStatistics.values.read(), running);
  references.dispose();
});

Deno.test("an image that is normalised by a reference depends on no other image", async () => {
  const references = new ReferenceStatistics(context, model.runningStatistics.values.size, 6);
  await scored(batch, { ...frozenTraining, references });
  const mode: NormMode = { statistics: "reference", updateRunning: false, references };
  const others = values(4 * pixels, 3);
  const [score, gradient] = await scored(others, mode);
  const [alone, aloneGradient] = await scored(others.subarray(pixels, 2 * pixels), mode);
  assert.deepEqual(alone, score.subarray(1, 2));
  assert.deepEqual(aloneGradient, gradient.subarray(pixels, 2 * pixels));
  references.dispose();
});
