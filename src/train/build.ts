/** Builds what a configuration describes. */

import { DeviceImages } from "../data/device_images.ts";
import { type Dataset, imageBytes, selectImages } from "../data/dataset.ts";
import { Draw, stratifiedDraw } from "../data/draw.ts";
import { requireEveryClass, type Subsets } from "../data/subsets.ts";
import {
  InformativeInitialisation,
  type Initialisation,
  UniformInitialisation,
} from "../jem/initialisation.ts";
import { ReplayBuffer } from "../jem/replay_buffer.ts";
import { Sampler } from "../jem/sampler.ts";
import { type ActivationType, evaluation, training, WideResNet } from "../nn/wide_resnet.ts";
import { Adam, type Optimizer, Sgd } from "../optim/optimizer.ts";
import type { LearningRateSchedule } from "../optim/schedule.ts";
import { SharpnessAware } from "../optim/sharpness_aware.ts";
import type { Context } from "../tensor/context.ts";
import type { Configuration } from "./configuration.ts";

/**
 * A configuration's model, freshly initialised.
 * @param activations type of the values between its layers. It overrides the configuration, except in training, because
 *   a trained model is used in float32, which is more exact
 */
export function buildModel(
  context: Context,
  { depth, width, norm, dropout, unconditional, seed }: Configuration,
  dataset: { readonly classNames: readonly string[]; readonly channels: number; readonly height: number },
  activations: ActivationType = "float32",
): WideResNet {
  const { channels, height: imageSize, classNames } = dataset;
  const classes = classNames.length;
  const architecture = { depth, width, norm, dropout, unconditional, channels, imageSize, classes };
  return new WideResNet(context, architecture, seed, activations);
}

/** A configuration's optimiser. */
export function buildOptimizer({ context, parameters }: WideResNet, configuration: Configuration): Optimizer {
  const { optimizer, momentum, weightDecay, beta1, beta2 } = configuration;
  return optimizer === "sgd"
    ? new Sgd(context, parameters, { momentum, weightDecay })
    : new Adam(context, parameters, { beta1, beta2, epsilon: 1e-8, weightDecay });
}

/** SAM around an optimiser; ASAM if the configuration says so, and by default from ρ = 0.5 on. */
export function buildSharpnessAware(
  { parameters }: WideResNet,
  optimizer: Optimizer,
  { rho, adaptive }: Configuration,
): SharpnessAware {
  return new SharpnessAware(parameters, optimizer, { rho, adaptive: adaptive ?? rho >= 0.5 });
}

/** A configuration's learning-rate schedule, in iterations. */
export function learningRates(
  configuration: Configuration,
  iterationsPerEpoch: number,
): LearningRateSchedule {
  const { learningRate, warmup, decayRate, decayIterations, decayEpochs } = configuration;
  return {
    learningRate,
    warmup,
    decayRate,
    decayIterations: [
      ...decayIterations,
      ...decayEpochs.map((epoch) => Math.round(epoch * iterationsPerEpoch)),
    ],
  };
}

/** Training images on the GPU. */
export interface ResidentImages {
  readonly images: DeviceImages;
  /** Indices of those that may be used with their labels, ascending. */
  readonly labelled: Uint32Array;
}

/**
 * The training images kept on the GPU: all of them, or as many of the labelled ones as the configuration allows, drawn
 * so that each class keeps its share.
 */
export function residentImages(
  context: Context,
  dataset: Dataset,
  { residentMebibytes }: Configuration,
  { labelled }: Subsets,
): ResidentImages {
  const { train } = dataset;
  const count = Math.floor(residentMebibytes * 2 ** 20 / imageBytes(dataset));
  if (count >= train.count) return { images: new DeviceImages(context, dataset, train), labelled };
  const labels = labelled.map((index) => train.labels[index]!);
  const chosen = stratifiedDraw(labels, count, Draw.resident).map((place) => labelled[place]!).toSorted();
  const images = new DeviceImages(context, dataset, selectImages(train, chosen));
  return { images, labelled: chosen.map((_, i) => i) };
}

/**
 * A configuration's sampler, with an empty replay buffer. Informative chains start at Gaussians fitted to the images on
 * the GPU whose labels may be used.
 * @param bufferSize number of replay buffer entries, if not all
 * @throws {DataError} if a class has none of these images.
 */
export function buildSampler(
  model: WideResNet,
  configuration: Configuration,
  { images, labelled }: ResidentImages,
  classNames: readonly string[],
  bufferSize: number = configuration.bufferSize,
): Sampler {
  const { context, architecture: { classes } } = model;
  const { steps, stepSize, noiseScale, gradientClamp, samplerNorm } = configuration;
  const { innerSteps, innerStepSize, innerClamp } = configuration;
  let start: Initialisation = new UniformInitialisation(images.shape);
  if (configuration.initialisation === "informative") {
    requireEveryClass(
      `informative initialisation with residentMebibytes ${configuration.residentMebibytes}`,
      images.labels,
      labelled,
      classNames,
      1,
    );
    start = new InformativeInitialisation(context, images, images.labels, classes, labelled);
  }
  const options = {
    steps,
    stepSize,
    noiseScale,
    gradientClamp: gradientClamp ?? Infinity,
    inner: { steps: innerSteps, stepSize: innerStepSize, clamp: innerClamp ?? Infinity },
  };
  const buffer = new ReplayBuffer(context, bufferSize, images.shape);
  return new Sampler(model, buffer, start, options, samplerNorm === "train" ? training : evaluation);
}
