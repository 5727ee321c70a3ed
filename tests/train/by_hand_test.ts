/** Training without a `Trainer`, for programs that hold its parts themselves. */

import assert from "node:assert/strict";
import {
  Context,
  IterationInputs,
  modelFrom,
  readModelFile,
  ReplayBuffer,
  replayImages,
  reportValues,
  serializeModel,
  Sgd,
  ShapeError,
  SharpnessAware,
  TrainingStep,
  type TrainingStepOptions,
  WideResNet,
} from "../../src/mod.ts";
import { testGpu, values } from "../kernels/harness.ts";

const size = { depth: 10, width: 1, classes: 10, channels: 1, imageSize: 8 } as const;
const context = new Context(await testGpu());

Deno.test("a network and a step of training are the published ones where nothing is said", async () => {
  const shape = [4, 8, 8, 1];
  const [real, labelled, generated] = [1, 2, 3].map((seed) => context.from(values(256, seed), shape));
  const report = async (model: WideResNet, options?: Partial<TrainingStepOptions>) => {
    const sgd = new Sgd(context, model.parameters, { momentum: 0.9, weightDecay: 5e-4 });
    const sam = new SharpnessAware(model.parameters, sgd, { rho: 2, adaptive: true });
    const step = new TrainingStep(model, sam, options);
    const labels = context.from(Uint32Array.of(0, 1, 2, 3), [4]);
    step.record({ real: real!, labelled: labelled!, labels, draw: () => generated!.retain() }, {
      stream: context.zeros([4], "uint32"),
      schedule: context.from(Float32Array.of(0.1, 1, 1, 0), [4]),
      status: context.zeros([4], "uint32"),
    });
    return reportValues(await step.report.read());
  };
  const published = { likelihoodWeight: 1, classificationWeight: 1, l2: 0, divergenceLimit: 1e5 };
  const said = { norm: "batch", dropout: 0, unconditional: false } as const;
  const expected = await report(new WideResNet(context, { ...size, ...said }, 1), {
    ...published,
    consistentPasses: false,
  });
  assert.deepEqual(await report(new WideResNet(context, size, 1)), expected);
  const { loss, crossEntropy, realScore, generatedScore } = expected;
  assert(Math.abs(loss - (generatedScore - realScore + crossEntropy)) < 1e-5 && expected.gradientNorm > 0);
  assert.notDeepEqual(await report(new WideResNet(context, size, 1), { l2: 0.5 }), expected);
});

Deno.test("a model that no trainer trained goes through a file bit for bit, with its replay buffer", async () => {
  const model = new WideResNet(context, size, 7);
  model.runningStatistics.batchesTracked = 3;
  const buffer = new ReplayBuffer(context, 20, [8, 8, 1]);
  buffer.images.write(values(20 * 64, 1));
  const file = await readModelFile(await serializeModel(model, buffer));
  const restored = modelFrom(context, file);
  assert.deepEqual(restored.architecture, model.architecture);
  assert.equal(restored.runningStatistics.batchesTracked, 3);
  const [before, after] = await context.read([model.parameters.values, restored.parameters.values]);
  assert.deepEqual(after, before);
  const { shape, data } = replayImages(file);
  assert.deepEqual(shape, [20, 8, 8, 1]);
  assert.deepEqual(data, await buffer.images.read());
});

Deno.test("IterationInputs keeps a part that is left out, and refuses more values than it has room for", async () => {
  const inputs = new IterationInputs(context, 2, 3);
  inputs.upload({ schedule: [0.5, 1, 1, 0], labels: Uint32Array.of(1, 2, 3) });
  inputs.upload({ labels: Uint32Array.of(4, 5, 6) });
  const { schedule, labels, draws } = inputs.parts;
  const [rates, classes, entries] = await context.read([schedule, labels, draws]);
  assert.deepEqual([...rates!], [0.5, 1, 1, 0]);
  assert.deepEqual([...new Uint32Array(classes!.buffer)], [4, 5, 6]);
  assert.deepEqual([...entries!], [0, 0, 0, 0]);
  const refusal = new ShapeError("5 draws, expected 4");
  assert.throws(() => inputs.upload({ draws: new Uint32Array(5) }), refusal);
});
