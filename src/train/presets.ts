import { ConfigurationError } from "../errors.ts";
import { type Configuration, parseConfiguration } from "./configuration.ts";

/** Named options: those that differ from the published CIFAR-10 values, and where they come from. */
interface Preset {
  readonly source: string;
  readonly options: Partial<Configuration>;
}

/** A run of minutes on a CPU; the published ratios of warm-up and decays on a shorter schedule. */
const digits: Partial<Configuration> = {
  dataset: "digits",
  depth: 10,
  width: 1,
  likelihoodBatch: 64,
  labelledBatch: 64,
  bufferSize: 1000,
  iterations: 600,
  warmup: 100,
  decayIterations: [360, 480, 540],
  checkpointEvery: 100,
  samplesEvery: 100,
  evaluateEvery: 100,
};

const presets: Readonly<Record<string, Preset>> = {
  digits: {
    source: "SADA-JEM (Yang, Su, Ji, CVPR 2023) scaled down to 8×8 digits",
    options: digits,
  },
  cifar10: {
    source: "SADA-JEM (Yang, Su, Ji, CVPR 2023) and its official training script for CIFAR-10",
    options: {},
  },
  cifar100: {
    source: "SADA-JEM (Yang, Su, Ji, CVPR 2023): the settings for CIFAR-10, on CIFAR-100",
    options: { dataset: "cifar100" },
  },
  "cifar10-tiny": {
    source:
      "SADA-JEM (Yang, Su, Ji, CVPR 2023) scaled down to 2,000 images of CIFAR-10: a trial run, not a result",
    options: {
      dataLimit: 2000,
      depth: 10,
      width: 1,
      likelihoodBatch: 16,
      labelledBatch: 32,
      bufferSize: 200,
      iterations: 100,
      warmup: 20,
      decayIterations: [60, 80, 90],
      checkpointEvery: 50,
      samplesEvery: 50,
      evaluateEvery: 0,
    },
  },
  "digits-softmax": {
    source: "Baseline: a plain classifier with the optimizer and augmentation of the digits preset",
    options: { ...digits, likelihoodWeight: 0, rho: 0 },
  },
  "digits-jem": {
    source: "Baseline: JEM (Grathwohl et al., ICLR 2020) on the digits preset's network and schedule",
    options: {
      ...digits,
      norm: "none",
      augmentLikelihood: true,
      inputNoise: 0.03,
      initialisation: "uniform",
      steps: 20,
      noiseScale: 0.01,
      gradientClamp: null,
      samplerNorm: "eval",
      optimizer: "adam",
      learningRate: 1e-4,
      weightDecay: 0,
      decayRate: 0.3,
      rho: 0,
    },
  },
  "digits-jempp": {
    source: "Baseline: JEM++ (Yang, Ji, ICCV 2021) on the digits preset's network, schedule and chain length",
    options: { ...digits, augmentLikelihood: true, inputNoise: 0.03, rho: 0 },
  },
};

/** Names of the presets. */
export function presetNames(): string[] {
  return Object.keys(presets);
}

/**
 * A preset's complete configuration.
 * @throws {ConfigurationError} listing the names if there is none of this name.
 */
export function preset(name: string): Configuration {
  return parseConfiguration(find(name).options);
}

/**
 * Where a preset's values come from, in a line.
 * @throws {ConfigurationError} listing the names if there is none of this name.
 */
export function presetSource(name: string): string {
  return find(name).source;
}

function find(name: string): Preset {
  const found = Object.hasOwn(presets, name) ? presets[name] : undefined;
  if (!found) {
    throw new ConfigurationError(`no preset ${JSON.stringify(name)}; there are ${presetNames().join(", ")}`);
  }
  return found;
}
