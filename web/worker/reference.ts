import type { Dataset } from "../../src/data/dataset.ts";
import { DeviceImages } from "../../src/data/device_images.ts";
import { batchSize, type ImageSource } from "../../src/evaluate/features.ts";
import { evaluation, type WideResNet } from "../../src/nn/wide_resnet.ts";
import type { Reference } from "./calls.ts";

/** Share of the training images below the threshold. */
const quantile = 0.05;

/** Scores the training images, and finds the log p̃(x) below which an image counts as out of distribution. */
export async function measureReference(network: WideResNet, dataset: Dataset): Promise<Reference> {
  const { context } = network;
  const densities = await logDensities(network, new DeviceImages(context, dataset, dataset.train));
  const test = await logDensities(network, new DeviceImages(context, dataset, dataset.test));
  densities.sort();
  const threshold = densities[Math.floor(quantile * densities.length)]!;
  const below = test.filter((density) => density < threshold).length;
  return { densities, quantile, threshold, testShare: below / test.length };
}

/** log p̃(x) of every image, with the running statistics. */
async function logDensities(network: WideResNet, images: ImageSource): Promise<Float32Array> {
  const densities = new Float32Array(images.count);
  for (let start = 0; start < images.count; start += batchSize) {
    const count = Math.min(batchSize, images.count - start);
    using batch = images.range(start, count);
    using scores = network.energyScore(batch, evaluation);
    densities.set(await scores.read(), start);
  }
  return densities;
}
