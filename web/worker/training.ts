import type { Dataset } from "../../src/data/dataset.ts";
import { DeviceImages } from "../../src/data/device_images.ts";
import { accuracyAndLoss, classifyImages } from "../../src/evaluate/classification.ts";
import type { Context } from "../../src/tensor/context.ts";
import { encodeModel } from "../../src/train/checkpoint/checkpoint.ts";
import { type Configuration, parseConfiguration } from "../../src/train/configuration.ts";
import { Pace } from "../../src/train/pace.ts";
import { preset } from "../../src/train/presets.ts";
import { Trainer } from "../../src/train/trainer.ts";
import type { TrainingCalls, TrainingProgress, TrainingSettings } from "./calls.ts";

/** Desired time between two reports, in milliseconds. */
const reportInterval = 400;
/** Number of evaluations on the test images in a run. */
const evaluations = 6;
/** Replay buffer entries that are shown. */
const shownSamples = 64;

/** The digits preset at another length. Warm-up and decays keep their proportions. */
export function trainingConfiguration({ iterations, batch, ...others }: TrainingSettings): Configuration {
  const published = preset("digits");
  const scale = iterations / published.iterations!;
  return parseConfiguration({
    ...published,
    ...others,
    iterations,
    likelihoodBatch: batch,
    labelledBatch: batch,
    warmup: Math.round(published.warmup * scale),
    decayIterations: published.decayIterations.map((iteration) => Math.round(iteration * scale)),
  });
}

/**
 * Trains from scratch until the run is complete or the signal aborts.
 * @throws {DivergenceError} if training diverges.
 */
export async function trainDigits(
  context: Context,
  dataset: Dataset,
  settings: TrainingSettings,
  report: (progress: TrainingProgress) => void,
  signal: AbortSignal,
): Promise<TrainingCalls["train"]["result"]> {
  const configuration = trainingConfiguration(settings);
  const trainer = new Trainer(context, configuration, dataset);
  const testImages = new DeviceImages(context, dataset, dataset.test);
  const accuracy = async () => accuracyAndLoss(await classifyImages(trainer.model, testImages)).accuracy;
  await trainer.fillReplayBuffer();
  const evaluateEvery = Math.ceil(trainer.iterations / evaluations);
  const pace = new Pace(0, reportInterval);
  while (trainer.iteration < trainer.iterations && !signal.aborted) {
    await trainer.advance();
    const { iteration } = trainer;
    const evaluate = iteration % evaluateEvery === 0;
    if (!evaluate && !pace.due(iteration) && iteration < trainer.iterations) continue;
    const reports = await trainer.fetchReports();
    const { iterationsPerSecond } = pace.measured(iteration);
    report({
      reports,
      imagesPerSecond: iterationsPerSecond * 2 * settings.batch,
      secondsLeft: (trainer.iterations - iteration) / iterationsPerSecond,
      samples: await replaySamples(trainer),
      testAccuracy: evaluate ? await accuracy() : undefined,
    });
  }
  const model = await encodeModel(trainer, configuration, dataset);
  return { iterations: trainer.iteration, testAccuracy: await accuracy(), model };
}

/** Entries from anywhere in the replay buffer, `[N, H, W, C]`. */
async function replaySamples({ sampler }: Trainer): Promise<Float32Array<ArrayBuffer>> {
  const { images, pixels, capacity } = sampler!.buffer;
  const all = await images.read();
  const samples = new Float32Array(shownSamples * pixels);
  for (let i = 0; i < shownSamples; i++) {
    const entry = Math.floor(i * capacity / shownSamples);
    samples.set(all.subarray(entry * pixels, (entry + 1) * pixels), i * pixels);
  }
  return samples;
}
