import assert from "node:assert/strict";
import type { Dataset } from "../../src/data/dataset.ts";
import { loadDataset } from "../../src/data/load.ts";
import { DivergenceError } from "../../src/errors.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { activationTypes } from "../../src/nn/wide_resnet.ts";
import { Context } from "../../src/tensor/context.ts";
import { type Configuration, parseConfiguration } from "../../src/train/configuration.ts";
import { preset } from "../../src/train/presets.ts";
import type { IterationReport } from "../../src/train/iteration/report.ts";
import { Trainer } from "../../src/train/trainer.ts";
import { testGpu } from "../kernels/harness.ts";
import { isPresent, realData } from "../real_data.ts";

const quick = {
  likelihoodBatch: 8,
  labelledBatch: 8,
  bufferSize: 20,
  steps: 2,
  warmup: 0,
  decayIterations: [],
};

const digits = await loadDataset({ name: "digits" });

async function trained(
  configuration: Configuration,
  iterations: number,
  dataset: Dataset = digits,
): Promise<{ gpu: Gpu; trainer: Trainer; reports: IterationReport[] }> {
  const gpu = await Gpu.request();
  const trainer = new Trainer(new Context(gpu), configuration, dataset);
  await trainer.fillReplayBuffer();
  const reports: IterationReport[] = [];
  for (let i = 0; i < iterations; i++) {
    await trainer.advance();
    if (i % 20 === 19 || i === iterations - 1) reports.push(...await trainer.fetchReports());
  }
  return { gpu, trainer, reports };
}

Deno.test("Trainer makes nothing and holds no more memory over 200 iterations", async () => {
  const { gpu, trainer } = await trained(parseConfiguration({ ...preset("digits"), ...quick }), 2);
  const before = { ...gpu.counters };
  const memory = () => [gpu.pool.totalBytes, gpu.pool.liveBytes, trainer.plan!.bytes];
  const held = memory();
  for (let i = 0; i < 200; i++) {
    await trainer.advance();
    if (i % 20 === 19) await trainer.fetchReports();
  }
  const made = (what: keyof typeof before) => gpu.counters[what] - before[what];
  assert.deepEqual([made("buffers"), made("bindGroups"), made("pipelines")], [0, 0, 0]);
  assert(made("submits") <= 4 * 200, `${made("submits")} submits`);
  assert.deepEqual(memory(), held);
  gpu.destroy();
});

Deno.test("Trainer learns the digits within 60 iterations of a plain classifier, in half precision as well", async () => {
  const { device } = await testGpu();
  const configuration = parseConfiguration({ ...preset("digits-softmax"), warmup: 10, decayIterations: [] });
  for (const activations of activationTypes) {
    if (activations === "float16" && !device.features.has("shader-f16")) continue;
    const { gpu, trainer, reports } = await trained({ ...configuration, activations }, 60);
    assert.equal(trainer.model.activations, activations);
    const accuracy = reports.slice(-10).reduce((sum, report) => sum + report.accuracy / 10, 0);
    assert(accuracy > 0.8, `accuracy ${accuracy}`);
    assert(reports.every(({ realScore }) => Number.isNaN(realScore)));
    gpu.destroy();
  }
});

for (const name of ["digits-jem", "digits-jempp"]) {
  Deno.test(`Trainer runs the baseline ${name} by configuration alone`, async () => {
    const configuration = parseConfiguration({ ...preset(name), ...quick });
    const { gpu, reports } = await trained(configuration, 4);
    for (const { loss, realScore, generatedScore, secondLoss } of reports) {
      assert([loss, realScore, generatedScore].every(Number.isFinite));
      assert(Number.isNaN(secondLoss), "these baselines take one gradient");
    }
    gpu.destroy();
  });
}

Deno.test("Trainer trains an unconditional head, squares, noise, Adam and both passes alike", async () => {
  const configuration = parseConfiguration({
    ...preset("digits"),
    ...quick,
    unconditional: true,
    l2: 0.1,
    noiseScale: 0.01,
    inputNoise: 0.03,
    consistentPasses: true,
    likelihoodWeight: 0.5,
    optimizer: "adam",
    learningRate: 1e-3,
    adaptive: false,
    rho: 0.05,
  });
  const { gpu, reports } = await trained(configuration, 3);
  for (const { loss, crossEntropy, realScore, generatedScore, secondLoss, gradientNorm } of reports) {
    const likelihood = generatedScore - realScore + 0.1 * (realScore ** 2 + generatedScore ** 2);
    assert(Math.abs(loss - (crossEntropy + 0.5 * likelihood)) < 1e-4);
    assert(Number.isFinite(secondLoss) && gradientNorm > 0);
  }
  gpu.destroy();
});

Deno.test("Trainer trains every norm, with dropout, inner steps and without a classifier", async () => {
  for (const norm of ["none", "instance", "layer", "act"] as const) {
    const configuration = parseConfiguration({
      ...preset("digits"),
      ...quick,
      norm,
      dropout: 0.1,
      innerSteps: 2,
      classificationWeight: norm === "layer" ? 0 : 2,
      learningRate: 1e-3,
    });
    const { gpu, trainer, reports } = await trained(configuration, 3);
    assert(trainer.model.normsInitialised);
    for (const { loss, crossEntropy, realScore, generatedScore, secondLoss } of reports) {
      const classification = norm === "layer" ? 0 : 2 * crossEntropy;
      assert(Math.abs(loss - (classification + generatedScore - realScore)) < 1e-4, `${norm}: ${loss}`);
      assert(Number.isFinite(secondLoss));
    }
    assert.equal(Number.isNaN(reports[0]!.crossEntropy), norm === "layer");
    gpu.destroy();
  }
});

Deno.test("Trainer drops other values in every iteration, and the same ones in another run", async () => {
  const configuration = parseConfiguration({
    ...preset("digits-softmax"),
    learningRate: 1e-30,
    dropout: 0.5,
    padding: 0,
    labelledBatch: 100,
  });
  const dataset = await loadDataset({ name: "digits", limit: 100 });
  const runs = [await trained(configuration, 3, dataset), await trained(configuration, 3, dataset)];
  const losses = runs.map(({ reports }) => reports.map(({ loss }) => loss));
  assert.deepEqual(losses[0], losses[1]);
  // The parameters hardly move and the batch always contains all images, so only dropout changes the loss.
  assert(Math.abs(losses[0]![1]! - losses[0]![2]!) > 1e-4);
  for (const { gpu } of runs) gpu.destroy();
});

Deno.test("Trainer keeps to labelled and unlabelled subsets", async () => {
  const configuration = parseConfiguration({
    ...preset("digits"),
    ...quick,
    labelsPerClass: 3,
    validationCount: 400,
  });
  const { gpu, trainer } = await trained(configuration, 2);
  const { training, labelled, validation } = trainer.subsets;
  assert.deepEqual([training.length, labelled.length, validation.length], [1037, 30, 400]);
  gpu.destroy();
});

Deno.test("Trainer gives the same bits with images on the GPU and with batches uploaded one by one", async () => {
  const options = { ...preset("digits-softmax"), labelledBatch: 16, warmup: 0 };
  const runs = [];
  for (const residentMebibytes of [4096, 0]) {
    runs.push(await trained(parseConfiguration({ ...options, residentMebibytes }), 4));
  }
  assert.deepEqual(runs.map(({ trainer }) => trainer.images.count), [1437, 0]);
  assert.deepEqual(runs[0]!.reports, runs[1]!.reports);
  const parameters = await Promise.all(runs.map(({ trainer }) => trainer.model.parameters.values.read()));
  assert.deepEqual(parameters[0], parameters[1]);
  for (const { gpu } of runs) gpu.destroy();

  const informative = parseConfiguration({ ...preset("digits"), ...quick, residentMebibytes: 0 });
  await assert.rejects(trained(informative, 1), {
    name: "DataError",
    message: /informative initialisation with residentMebibytes 0: 0 training images of class 0/,
  });
});

Deno.test("Trainer stops at divergence, with parameters and replay buffer as they were before", async () => {
  const configuration = parseConfiguration({ ...preset("digits"), ...quick, divergenceLimit: 1e-9 });
  const gpu = await Gpu.request();
  const trainer = new Trainer(new Context(gpu), configuration, digits);
  await trainer.fillReplayBuffer();
  const [parameters, buffer] = [trainer.model.parameters.values, trainer.sampler!.buffer.images];
  const before = [await parameters.read(), await buffer.read()];
  await trainer.advance();
  await trainer.advance();
  await assert.rejects(() => trainer.fetchReports(), (error) => {
    assert(error instanceof DivergenceError);
    assert.match(error.message, /diverged at iteration 0/);
    return true;
  });
  assert.deepEqual(await parameters.read(), before[0]);
  // The chain's end was stored before the losses were known. After that, nothing is stored.
  const after = await buffer.read();
  await trainer.advance();
  await gpu.read([]);
  assert.deepEqual(await buffer.read(), after);
  gpu.destroy();
});

Deno.test("Trainer trains on the CIFAR-10 files with the tiny preset", async (t) => {
  const cifar = `${realData}/cifar-10-batches-bin`;
  const present = await isPresent(cifar);
  await t.step({
    name: present ? "five iterations" : `skipped: no ${cifar}`,
    ignore: !present,
    fn: async () => {
      const configuration = parseConfiguration({ ...preset("cifar10-tiny"), dataLimit: 200 });
      const dataset = await loadDataset({ name: "cifar10", folder: cifar, limit: 200 });
      const { gpu, reports } = await trained(configuration, 5, dataset);
      assert(reports.every(({ loss, secondLoss }) => Number.isFinite(loss) && Number.isFinite(secondLoss)));
      gpu.destroy();
    },
  });
});
