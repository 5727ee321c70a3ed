import assert from "node:assert/strict";
import { objective, type ObjectiveWeights } from "../../src/jem/objective.ts";
import { canBeJoined, featuresOfBatches } from "../../src/nn/joined_batches.ts";
import { type NormName, normNames } from "../../src/nn/norms.ts";
import {
  type ActivationType,
  type Architecture,
  frozenTraining,
  training,
  WideResNet,
} from "../../src/nn/wide_resnet.ts";
import { Context } from "../../src/tensor/context.ts";
import type { NormMode } from "../../src/tensor/operations/batch_norm.ts";
import { add, multiply } from "../../src/tensor/operations/arithmetic.ts";
import { mean } from "../../src/tensor/operations/reduce.ts";
import { softmaxCrossEntropy } from "../../src/tensor/operations/softmax_cross_entropy.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { relativeError, testGpu, values } from "../kernels/harness.ts";

const small: Architecture = {
  depth: 10,
  width: 1,
  classes: 3,
  channels: 3,
  imageSize: 9,
  norm: "batch",
  dropout: 0,
  unconditional: false,
};
const size = 5;
const weights: ObjectiveWeights = { likelihoodWeight: 0.5, l2: 0.1, classificationWeight: 2 };

interface Batch {
  readonly real: Tensor;
  readonly generated: Tensor;
  readonly labelled: Tensor;
  readonly labels: Tensor;
}

/** The objective by its definition, one batch at a time. */
function byDefinition(model: WideResNet, batch: Batch, mode: NormMode): Tensor {
  const real = mean(model.energyScore(batch.real, mode));
  const generated = mean(model.energyScore(batch.generated, mode));
  const crossEntropy = mean(softmaxCrossEntropy(model.classify(batch.labelled, mode), batch.labels).losses);
  const squares = add(multiply(real, real), multiply(generated, generated));
  const likelihood = add(add(generated, real, -1), squares, weights.l2);
  return add(add(likelihood, likelihood, weights.likelihoodWeight - 1), crossEntropy, 2);
}

/** The state after differentiating a loss of fixed batches. */
async function outcome(
  change: Partial<Architecture>,
  loss: (model: WideResNet, batch: Batch) => Tensor,
) {
  const context = new Context(await testGpu());
  const model = new WideResNet(context, { ...small, ...change }, 1);
  const images = (seed: number) => context.from(values(size * 9 * 9 * 3, seed), [size, 9, 9, 3]);
  const [real, drawn, labelled] = [images(1), images(2), images(3)];
  const labels = context.from(Uint32Array.of(0, 2, 1, 1, 0), [size]);
  model.initialiseNorms(real);
  const { parameters: { trainable, gradients }, runningStatistics } = model;
  gradients.clear();
  context.gpu.submit();

  const before = context.gpu.counters.dispatches;
  const { value } = context.differentiate(
    { parameters: trainable },
    () => loss(model, { real, generated: drawn, labelled, labels }),
  );
  const [total, gradient, running] = await context.read([value, gradients, runningStatistics.values]);
  const dispatches = context.gpu.counters.dispatches - before;
  return { total, gradient, running, dispatches, tracked: runningStatistics.batchesTracked };
}

const cases: [string, Partial<Architecture>][] = [
  ...normNames.map((norm): [string, { norm: NormName }] => [`norm ${norm}`, { norm }]),
  ["an energy head", { unconditional: true }],
];
for (const [title, change] of cases) {
  Deno.test(`objective() equals its definition, batch by batch, in fewer launches: ${title}`, async () => {
    for (const mode of [training, frozenTraining]) {
      const expected = await outcome(change, (model, batch) => byDefinition(model, batch, mode));
      const actual = await outcome(
        change,
        (model, batch) => {
          const real = model.features(batch.real, mode);
          const [generated, labelled] = featuresOfBatches(model, [batch.generated, batch.labelled], mode);
          return objective(model, { real, generated, labelled }, batch.labels, weights).total;
        },
      );
      assert.deepEqual(actual.total, expected.total);
      // The sums have another order, which costs some units in the last place of their largest terms.
      assert(relativeError(actual.gradient!, expected.gradient!) < 2e-6);
      assert.deepEqual(actual.running, expected.running);
      assert.equal(actual.tracked, expected.tracked);
      assert(
        actual.dispatches < 0.85 * expected.dispatches,
        `${actual.dispatches} of ${expected.dispatches}`,
      );
    }
  });
}

Deno.test("dropout drops other values of each of two batches that go through the network together", async () => {
  const context = new Context(await testGpu());
  const model = new WideResNet(context, { ...small, norm: "none", dropout: 0.5 }, 1);
  const images = context.from(values(size * 9 * 9 * 3), [size, 9, 9, 3]);
  const draw = async () => {
    model.dropoutStream!.write(Uint32Array.of(1, 0, 7, 0));
    return await context.read(featuresOfBatches(model, [images, images], training));
  };
  const features = await draw();
  assert.notDeepEqual(features[0], features[1]);
  assert.deepEqual(await draw(), features);
});

Deno.test("canBeJoined() allows batches of one size whose activations any device can bind", () => {
  const wide = (depth: number, width: number, activations: ActivationType = "float32") => ({
    architecture: { ...small, imageSize: 32, depth, width },
    activations,
  });
  assert(canBeJoined(wide(16, 4), [64, 64]));
  assert(canBeJoined(wide(28, 10, "float16"), [64, 64]));
  assert(!canBeJoined(wide(28, 10), [64, 64]));
  assert(!canBeJoined(wide(10, 1), [64, 128]));
  assert(!canBeJoined(wide(10, 1), [64]));
  assert(!canBeJoined(wide(10, 1), []));
});
