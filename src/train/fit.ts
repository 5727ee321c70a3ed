/** Checks whether a training run fits an adapter before anything is read or computed. */

import type { Dataset } from "../data/dataset.ts";
import { datasetFormats } from "../data/formats.ts";
import { ConfigurationError, GpuError, LimitError } from "../errors.ts";
import { mostArrayBytes } from "../formats/budget.ts";
import { Gpu } from "../gpu/gpu.ts";
import { blocksOfStream } from "../kernels/random/philox.ts";
import { type Architecture, declareLayers } from "../nn/wide_resnet.ts";
import { RunningStatistics } from "../nn/running_statistics.ts";
import { Context } from "../tensor/context.ts";
import { ParameterSet } from "../tensor/parameters.ts";
import { elements } from "../tensor/tensor.ts";
import { type Configuration, parseConfiguration } from "./configuration.ts";
import { Trainer } from "./trainer.ts";

/** Networks from this depth on have the same kinds of layers. Each further block only repeats them. */
const completeDepth = 16;
/** More than any device or computer has. The real size is unknown, because WebGPU does not tell it. */
const largestMemory = 2 ** 40;

/** Options that can make a run smaller. */
const sizeOptions = ["labelledBatch", "likelihoodBatch", "width", "depth", "imageSize"] as const;

type SizeOption = typeof sizeOptions[number];

/** An option's least value, and the step to the next one. Shards divide the batches. */
function valuesOf(name: SizeOption, { shards }: Configuration): { least: number; step: number } {
  if (name === "depth") return { least: 10, step: 6 };
  if (name === "imageSize") return { least: 8, step: 1 };
  return name === "width" ? { least: 1, step: 1 } : { least: shards, step: shards };
}

/** Options that are tried together if no single one is to blame. */
const combinations: readonly (readonly SizeOption[])[] = [
  ["labelledBatch", "likelihoodBatch"],
  ["depth", "width"],
  ["labelledBatch", "likelihoodBatch", "width"],
  ["labelledBatch", "likelihoodBatch", "width", "depth"],
];

/** The images that a configuration trains on, as far as they are known before reading. */
interface Images {
  readonly side: number;
  readonly channels: number;
  readonly classes: number;
}

/**
 * Checks that a run fits the limits of an adapter, by recording an iteration on paper with no more layers than differ.
 * @throws {GpuError} naming an option, what it needs, the limit, and a value that would fit.
 * @throws {ConfigurationError} if images are needed on the GPU and none may be kept there.
 */
export function requireFit(gpu: Gpu, configuration: Configuration): void {
  requirePadding(configuration);
  requireResidentImages(configuration);
  requireReplayBuffer(gpu, configuration);
  requireNoise(configuration);
  const exceeded = exceededBy(gpu, configuration);
  if (!exceeded) return;
  const fitting = cure(gpu, configuration, exceeded);
  const changed = sizeOptions
    .filter((name) => fitting && fitting[name] !== configuration[name]);
  const list = (values: Configuration) => changed.map((name) => `${name} ${values[name]}`).join(" and ");
  const { dataset } = configuration;
  const refusal = `${dataset}: ${gpu.adapterName} cannot train with ${
    list(configuration) || "these options"
  }`;
  const advice = fitting ? `; ${list(fitting)} would fit` : "";
  throw new GpuError(`${refusal}: ${exceeded.message}${advice}`);
}

function imagesOf({ dataset, imageSize }: Configuration): Images {
  const format = datasetFormats.get(dataset);
  // A folder's classes are known only after reading it. There are at least two.
  if (!format) return { side: imageSize, channels: 3, classes: 2 };
  return { ...format, classes: format.classNames.length };
}

/** Values of an image. */
function pixelsOf(configuration: Configuration): number {
  const { side, channels } = imagesOf(configuration);
  return side * side * channels;
}

/** Padding can reflect all of an image except the border. */
function requirePadding(configuration: Configuration): void {
  const { padding, dataset } = configuration;
  const { side } = imagesOf(configuration);
  if ((padding ?? 0) < side) return;
  throw new ConfigurationError(
    `configuration: padding is ${padding}; it must be below ${side}, the side of the images of ${dataset}`,
  );
}

/** Gaussians of informative chains are fitted to images on the GPU, at least one of each class. */
function requireResidentImages(configuration: Configuration): void {
  const { residentMebibytes, initialisation, likelihoodWeight } = configuration;
  const kept = Math.floor(residentMebibytes * 2 ** 20 / pixelsOf(configuration));
  if (likelihoodWeight === 0 || initialisation !== "informative") return;
  if (kept >= imagesOf(configuration).classes) return;
  throw new ConfigurationError(
    `configuration: residentMebibytes is ${residentMebibytes}, which keeps ${kept} training images on the GPU, where ` +
      "informative chains need some of each class; raise it, or set initialisation to uniform",
  );
}

/** A checkpoint reads the replay buffer through one buffer and one array. */
function requireReplayBuffer(gpu: Gpu, configuration: Configuration): void {
  const { bufferSize, likelihoodWeight, dataset } = configuration;
  if (likelihoodWeight === 0) return;
  const bytesPerImage = 4 * pixelsOf(configuration);
  const { maxBufferSize } = gpu.device.limits;
  const limit = Math.min(maxBufferSize, mostArrayBytes);
  if (bufferSize * bytesPerImage <= limit) return;
  const whose = limit === maxBufferSize
    ? `maxBufferSize of this device is ${limit}`
    : `the largest array has ${limit}`;
  throw new GpuError(
    `${dataset}: ${gpu.adapterName} cannot train with bufferSize ${bufferSize}: its images need ` +
      `${bufferSize * bytesPerImage} bytes, which a checkpoint reads at once; ${whose}; ` +
      `bufferSize ${Math.floor(limit / bytesPerImage)} would fit`,
  );
}

/** The noise of all steps of a shard's batch comes from one random stream. */
function requireNoise(configuration: Configuration): void {
  const { steps, likelihoodBatch, noiseScale, likelihoodWeight, shards } = configuration;
  const blocks = Math.ceil(likelihoodBatch / shards * pixelsOf(configuration) / 4);
  if (likelihoodWeight === 0 || noiseScale === 0 || steps * blocks <= blocksOfStream) return;
  throw new ConfigurationError(
    `configuration: steps is ${steps}, whose noise takes ${
      4 * steps * blocks
    } random numbers in an iteration; ` +
      `a stream has ${4 * blocksOfStream}, enough for ${Math.floor(blocksOfStream / blocks)} steps`,
  );
}

/** The limit that a run exceeds, if any. */
function exceededBy(gpu: Gpu, configuration: Configuration): LimitError | undefined {
  try {
    requireParameters(gpu, configuration);
    rehearse(gpu, configuration);
    return undefined;
  } catch (error) {
    if (error instanceof LimitError) return error;
    // A kernel's own limit, without a number: half as much is tried next.
    if (error instanceof RangeError) return new LimitError(error.message, 2, 1);
    throw error;
  }
}

/** All parameters are in one buffer, and so are their gradients. */
function requireParameters(gpu: Gpu, configuration: Configuration): void {
  const parameters = new ParameterSet();
  declareLayers(architectureOf(configuration), parameters, new RunningStatistics());
  const { offset, shape } = parameters.all.at(-1)!;
  const needed = 4 * (offset + elements(shape));
  const { maxBufferSize: limit } = gpu.device.limits;
  if (needed <= limit) return;
  const message =
    `the parameters need ${needed} bytes in one buffer; maxBufferSize of this device is ${limit}`;
  throw new LimitError(message, needed, limit);
}

function architectureOf(configuration: Configuration): Architecture {
  const { depth, width, norm, dropout, unconditional } = configuration;
  const { side: imageSize, channels, classes } = imagesOf(configuration);
  return { depth, width, norm, dropout, unconditional, imageSize, channels, classes };
}

/**
 * Records an iteration of one shard on paper. Data sets and the replay buffer are split as needed, so a few images are
 * enough.
 */
function rehearse(gpu: Gpu, configuration: Configuration): void {
  const paper = Gpu.onPaper(gpu);
  const shorter: Configuration = {
    ...configuration,
    depth: Math.min(configuration.depth, completeDepth),
    steps: Math.min(configuration.steps, 1),
    bufferSize: 1,
    shards: 1,
    likelihoodBatch: Math.ceil(configuration.likelihoodBatch / configuration.shards),
    labelledBatch: configuration.labelledBatch / configuration.shards,
    initialisation: "uniform",
    residentMebibytes: 0,
    validationCount: 0,
    labelsPerClass: null,
  };
  const trainer = new Trainer(new Context(paper), shorter, blankDataset(shorter));
  const { bytes } = trainer.record();
  const blocks = (depth: number) => (depth - 4) / 6;
  const repeated = blocks(configuration.depth) / blocks(shorter.depth);
  const needed = Math.round(repeated * (bytes + paper.bytes));
  if (needed <= largestMemory) return;
  const message = `an iteration needs about ${needed} bytes; no device has more than ${largestMemory}`;
  throw new LimitError(message, needed, largestMemory);
}

/** A data set with as many images as the batches take. Nothing reads their bytes. */
function blankDataset(configuration: Configuration): Dataset {
  const { labelledBatch, likelihoodBatch } = configuration;
  const { side, channels, classes } = imagesOf(configuration);
  const count = Math.max(labelledBatch, likelihoodBatch, classes);
  const bytes = new Uint8Array();
  return {
    name: "blank",
    height: side,
    width: side,
    channels,
    maximum: 255,
    classNames: Array.from({ length: classes }, (_, label) => `${label}`),
    train: { bytes, labels: Uint32Array.from({ length: count }, (_, i) => i % classes), count },
    test: { bytes, labels: new Uint32Array(), count: 0 },
    augmentation: { padding: 0, flip: false },
  };
}

/**
 * The configuration with smaller values that fit: only of the option farthest above its published value, if that is
 * enough.
 */
function cure(gpu: Gpu, configuration: Configuration, exceeded: LimitError): Configuration | undefined {
  const published = parseConfiguration({});
  const excess = (name: SizeOption) => configuration[name] / published[name];
  const singles = sizeOptions
    .filter((name) => name !== "imageSize" || configuration.dataset === "images")
    .sort((a, b) => excess(b) - excess(a))
    .map((name) => [name]);
  for (const options of [...singles, ...combinations]) {
    const fitting = shrunk(gpu, configuration, options, exceeded);
    if (fitting) return fitting;
  }
  return undefined;
}

/** The configuration with smaller values of some options that fits, if there is one. */
function shrunk(
  gpu: Gpu,
  configuration: Configuration,
  options: readonly SizeOption[],
  exceeded: LimitError,
): Configuration | undefined {
  const least = Object.fromEntries(options.map((name) => [name, valuesOf(name, configuration).least]));
  if (exceededBy(gpu, { ...configuration, ...least })) return undefined;
  let tried = configuration;
  for (let found: LimitError | undefined = exceeded; found; found = exceededBy(gpu, tried)) {
    const ratio = found.limit / found.needed;
    tried = {
      ...tried,
      ...Object.fromEntries(options.map((name) => [name, smaller(name, tried, ratio)])),
    };
  }
  return tried;
}

/** A proportional value, always smaller unless it is the least; for the depth, 6n + 4. */
function smaller(name: SizeOption, configuration: Configuration, ratio: number): number {
  const value = configuration[name];
  const { least, step } = valuesOf(name, configuration);
  const steps = Math.floor(Math.min(value * ratio - least, value - least - step) / step);
  return least + step * Math.max(0, steps);
}
