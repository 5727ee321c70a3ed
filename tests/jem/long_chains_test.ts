import assert from "node:assert/strict";
import { Gpu } from "../../src/gpu/gpu.ts";
import { recordedSteps, sgldChain } from "../../src/jem/sgld.ts";
import { training, WideResNet } from "../../src/nn/wide_resnet.ts";
import { Purpose, streamWords } from "../../src/random/philox.ts";
import { Context } from "../../src/tensor/context.ts";
import { fillNormal, normal } from "../../src/tensor/operations/random.ts";
import { parseConfiguration } from "../../src/train/configuration.ts";
import { preset } from "../../src/train/presets.ts";
import { Trainer } from "../../src/train/trainer.ts";
import { loadDataset } from "../../src/data/load.ts";
import { paperAdapter, withAdapter } from "../paper_adapter.ts";
import { testGpu } from "../kernels/harness.ts";

const shape = [4, 8, 8, 1];
const chain = { stepSize: 0.5, noiseScale: 0.05, gradientClamp: 1 };

function modelOn(context: Context): WideResNet {
  const architecture = {
    depth: 10,
    width: 1,
    classes: 3,
    channels: 1,
    imageSize: 8,
    dropout: 0,
    unconditional: false,
  };
  return new WideResNet(context, { ...architecture, norm: "batch" }, 5);
}

Deno.test("sgldChain() gives the same bits with a replayed step as with recorded ones", async () => {
  const context = new Context(await testGpu());
  const steps = 6;
  const ends: Float32Array[] = [];
  const running: Float32Array[] = [];
  for (const replayed of [false, true]) {
    const model = modelOn(context);
    const stream = context.from(streamWords(3, 1), [4]);
    const start = normal(stream, Purpose.sampling, shape);
    const all = normal(stream, Purpose.sgldNoise, [steps, ...shape]);
    const blocks = start.size / 4;
    // Other work surrounds the step, as in an iteration.
    model.energyScore(start, training).dispose();
    const score = (images: typeof start) => model.energyScore(images, training);
    const images = sgldChain(
      score,
      start,
      { ...chain, steps },
      replayed ? (k, noise) => fillNormal(noise, stream, Purpose.sgldNoise, k * blocks) : all,
    );
    ends.push(await images.read());
    running.push(await model.energyScore(images, { statistics: "running", updateRunning: false }).read());
  }
  assert.deepEqual(ends[1], ends[0]);
  assert.deepEqual(running[1], running[0]);
  assert(ends[0]!.some((value) => Math.abs(value) < 1));
});

Deno.test("sgldChain() takes the noise of long chains at once as well", async () => {
  const context = new Context(await testGpu());
  const steps = recordedSteps + 1;
  const model = modelOn(context);
  const stream = context.from(streamWords(3, 1), [4]);
  const start = normal(stream, Purpose.sampling, shape);
  const score = (images: typeof start) => model.energyScore(images, { ...training, updateRunning: false });
  const all = normal(stream, Purpose.sgldNoise, [steps, ...shape]);
  const blocks = start.size / 4;
  const [atOnce, stepByStep] = [
    sgldChain(score, start, { ...chain, steps }, all),
    sgldChain(
      score,
      start,
      { ...chain, steps },
      (k, noise) => fillNormal(noise, stream, Purpose.sgldNoise, k * blocks),
    ),
  ];
  assert.deepEqual(await atOnce.read(), await stepByStep.read());
});

const digits = await loadDataset({ name: "digits" });

/** What recording an iteration with chains of `steps` steps creates, and the batches that it tracks. */
async function recorded(steps: number): Promise<{ bindGroups: number; commands: number; bytes: number }> {
  const batches = { likelihoodBatch: 7, labelledBatch: 8, bufferSize: 20 };
  const configuration = parseConfiguration({ ...preset("digits"), ...batches, steps });
  return await withAdapter(paperAdapter(), async () => {
    const gpu = await Gpu.request();
    const { commands, bytes } = new Trainer(new Context(gpu), configuration, digits).record();
    return { bindGroups: gpu.counters.bindGroups, commands: commands.length, bytes };
  });
}

Deno.test("Trainer makes no more for 10,000 steps of a chain than for 100, and takes no more memory", async () => {
  const [some, many] = [await recorded(100), await recorded(10_000)];
  assert.deepEqual([many.bindGroups, many.bytes], [some.bindGroups, some.bytes]);
  const perStep = (many.commands - some.commands) / 9900;
  assert(Number.isInteger(perStep) && perStep > 50, `${perStep} commands a step`);
});

Deno.test("Trainer tracks every batch of a long chain, with noise that no binding holds at once", async () => {
  // 7 images of 28² are not a multiple of 256 bytes. So a step's noise could not be bound as part of the noise of all
  // steps.
  const side = 28;
  const train = {
    ...digits.train,
    bytes: new Uint8Array(20 * side * side),
    labels: digits.train.labels.slice(0, 20),
    count: 20,
  };
  for (let i = 0; i < train.bytes.length; i++) train.bytes[i] = i * 7 % 256;
  train.labels.forEach((_, i) => train.labels[i] = i % 10);
  const dataset = { ...digits, height: side, width: side, maximum: 255, train, test: train };
  const batches = {
    likelihoodBatch: 7,
    labelledBatch: 7,
    bufferSize: 10,
    depth: 10,
    width: 1,
    noiseScale: 0.01,
  };
  const tracked = [];
  for (const steps of [2, recordedSteps + 1]) {
    const configuration = parseConfiguration({ ...preset("digits"), ...batches, steps });
    const gpu = await Gpu.request();
    const trainer = new Trainer(new Context(gpu), configuration, dataset);
    await trainer.fillReplayBuffer();
    await trainer.advance();
    const [report] = await trainer.fetchReports();
    assert(Number.isFinite(report!.loss));
    tracked.push(trainer.model.runningStatistics.batchesTracked - steps);
    gpu.destroy();
  }
  assert.equal(tracked[0], tracked[1]);
});
