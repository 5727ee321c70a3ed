/** Random valid configurations, trained for two iterations. */

import fc from "fast-check";
import assert from "node:assert/strict";
import type { Dataset, ImageSet } from "../../src/data/dataset.ts";
import { digitNames } from "../../src/data/class_names.ts";
import { SadaJemError } from "../../src/errors.ts";
import type { Gpu } from "../../src/gpu/gpu.ts";
import { normNames } from "../../src/nn/norms.ts";
import { activationTypes } from "../../src/nn/wide_resnet.ts";
import { RandomStream } from "../../src/random/philox.ts";
import { Context } from "../../src/tensor/context.ts";
import { type Configuration, parseConfiguration } from "../../src/train/configuration.ts";
import { Trainer } from "../../src/train/trainer.ts";

/** Batches around the sizes of workgroups, and a batch of one image. */
const batch = fc.constantFrom(1, 2, 7, 63, 64, 65);

/** Valid options of runs of two iterations, on 8×8 digits or on a folder of pictures. */
const options = fc.record({
  dataset: fc.constantFrom("digits", "images"),
  depth: fc.constantFrom(10, 16),
  width: fc.constantFrom(1, 2),
  norm: fc.constantFrom(...normNames),
  dropout: fc.constantFrom(0, 0.3),
  activations: fc.constantFrom(...activationTypes),
  unconditional: fc.boolean(),
  likelihoodWeight: fc.constantFrom(0, 0.5, 1),
  classificationWeight: fc.constantFrom(0.5, 1),
  likelihoodBatch: batch,
  labelledBatch: batch,
  shards: fc.constantFrom(1, 1, 2, 3),
  ascent: fc.constantFrom("global", "local"),
  l2: fc.constantFrom(0, 0.01),
  augmentLikelihood: fc.boolean(),
  inputNoise: fc.constantFrom(0, 0.03),
  initialisation: fc.constantFrom("informative", "uniform"),
  bufferSize: fc.constantFrom(1, 10, 65),
  reinitProbability: fc.constantFrom(0, 0.05, 1),
  steps: fc.constantFrom(1, 2),
  noiseScale: fc.constantFrom(0, 0.01),
  gradientClamp: fc.constantFrom(null, 1),
  innerSteps: fc.constantFrom(0, 2),
  samplerNorm: fc.constantFrom("train", "eval"),
  optimizer: fc.constantFrom("sgd", "adam"),
  learningRate: fc.constantFrom(1e-4, 0.01),
  rho: fc.constantFrom(0, 0.05, 2),
  consistentPasses: fc.boolean(),
  padding: fc.constantFrom(null, 0, 2),
  flip: fc.constantFrom(null, true),
  validationCount: fc.constantFrom(0, 20),
  labelsPerClass: fc.constantFrom(null, 3),
  residentMebibytes: fc.constantFrom(0, 4096),
  seed: fc.nat(),
});

/**
 * Trains random configurations for two iterations each. None may crash, hang, or report success while its figures are
 * not numbers.
 * @throws {Error} naming the configuration that did
 */
export async function trainRandom(
  gpu: Gpu,
  digits: Dataset,
  { runs, seed }: { readonly runs: number; readonly seed: number },
): Promise<void> {
  const usable = (activations: string) => activations === "float32" || gpu.device.features.has("shader-f16");
  await fc.assert(
    fc.asyncProperty(options, async (values) => {
      const activations = usable(values.activations) ? values.activations : "float32";
      const { shards } = values;
      const configuration = parseConfiguration({
        ...values,
        activations,
        likelihoodBatch: shards * values.likelihoodBatch,
        labelledBatch: shards * values.labelledBatch,
        bufferSize: shards * values.bufferSize,
        warmup: 0,
        iterations: 2,
      });
      await trainTwice(
        gpu,
        configuration,
        configuration.dataset === "digits" ? digits : picturesOf(configuration),
      );
    }),
    { numRuns: runs, seed, endOnFailure: true },
  );
}

async function trainTwice(gpu: Gpu, configuration: Configuration, dataset: Dataset): Promise<void> {
  try {
    const trainer = new Trainer(new Context(gpu), configuration, dataset);
    await trainer.fillReplayBuffer();
    for (let i = 0; i < 2; i++) await trainer.advance();
    const reports = await trainer.fetchReports();
    assert.equal(reports.length, 2);
    for (const report of reports) {
      for (const [name, value] of Object.entries(report)) {
        // Values that are not computed are NaN: a plain classifier has no scores.
        const computed = configuration.likelihoodWeight > 0;
        if (computed) assert(Number.isFinite(value), `${name} is ${value}, and nothing says so`);
      }
      assert(Number.isFinite(report.accuracy));
    }
  } catch (error) {
    // A run that diverges reports it in one line.
    if (!(error instanceof SadaJemError)) throw error;
    assert.doesNotMatch(error.message, /\n/);
  }
}

/** Colour pictures of three classes, as from a folder. */
function picturesOf({ seed }: Configuration): Dataset {
  const side = [8, 12, 16][seed % 3]!;
  const set = (count: number): ImageSet => {
    const bytes = new Uint8Array(count * side * side * 3);
    const stream = new RandomStream(seed, 0, 0);
    for (let i = 0; i < bytes.length; i++) bytes[i] = stream.integer(i, 256);
    return { bytes, labels: Uint32Array.from({ length: count }, (_, i) => i % 3), count };
  };
  return {
    name: "images",
    height: side,
    width: side,
    channels: 3,
    maximum: 255,
    classNames: digitNames.slice(0, 3),
    train: set(150),
    test: set(30),
    augmentation: { padding: 1, flip: true },
  };
}
