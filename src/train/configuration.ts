/**
 * Everything that a training run depends on besides the data: one flat set of options, checked before anything starts.
 * Together with the data it determines a run's numbers bit for bit on one adapter.
 */

import * as z from "zod";
import { datasetNames } from "../data/dataset.ts";
import { ConfigurationError } from "../errors.ts";
import { normNames } from "../nn/norms.ts";
import { productTypes } from "../gpu/matrix_units.ts";
import { activationTypes } from "../nn/wide_resnet.ts";
import { mostShards } from "../random/philox.ts";
import { closest } from "./closest.ts";

/** A number of iterations, images and the like. */
const integer = (low: number, high = 1e9) =>
  z.int().min(low).max(high).describe(`a whole number from ${low} to ${high}`);
const nonNegative = () => z.number().min(0).describe("a number of at least 0");
const positive = () => z.number().gt(0).describe("a number above 0");
const share = () => z.number().min(0).max(1).describe("a number from 0 to 1");
/** A decay rate of moments, which must leave something to a new gradient, or a share that must not be all. */
const belowOne = () => z.number().min(0).lt(1).describe("a number of at least 0 and below 1");
/** A share that must be neither nothing nor all. */
const properShare = () => z.number().gt(0).lt(1).describe("a number above 0 and below 1");
const flag = () => z.boolean().describe("true or false");
const oneOf = <const Names extends readonly string[]>(...names: Names) =>
  z.enum(names).describe(`one of ${names.join(", ")}`);
const orNull = <Schema extends z.ZodType>(schema: Schema) =>
  schema.nullable().describe(`${schema.description} or null`);
const ascending = (point: z.ZodNumber) =>
  z.array(point)
    .refine((points) => points.every((value, i) => i === 0 || value > points[i - 1]!))
    .describe(`a list, each entry ${point.description} and above the one before`);

/** The options; defaults are the published values for CIFAR-10 (Yang, Su, Ji, CVPR 2023). */
const schema = z.strictObject({
  /** Data set. */
  dataset: oneOf(...datasetNames).default("cifar10"),
  /** Folder with the data set's files; null for where `deno task data` puts them. */
  dataFolder: orNull(z.string().min(1).describe("a path")).default(null),
  /** Train on this number of images only, each class keeping its share; null for all. */
  dataLimit: orNull(integer(1)).default(null),
  /** Side to which the pictures of a folder (dataset "images") are cropped and resized. */
  imageSize: integer(8, 64).default(32),
  /** Share of each class that is held out for testing, if such a folder has no test pictures of its own. */
  testShare: properShare().default(0.1),
  /** Training images held out; evaluations during training then use them instead of the test set. */
  validationCount: integer(0).default(0),
  /** Images of each class whose label is used; null for all. The likelihood uses all images. */
  labelsPerClass: orNull(integer(1)).default(null),
  /** Training images kept in GPU memory, in MiB; more than that are uploaded batch by batch. */
  residentMebibytes: integer(0).default(4096),

  /** Depth of the Wide ResNet, 6n + 4. */
  depth: z.int().min(10).max(1000).refine((depth) => depth % 6 === 4)
    .describe("6n + 4 from 10 to 1000, such as 10, 16, 22 or 28").default(28),
  /** Width factor of the Wide ResNet. */
  width: integer(1, 100).default(10),
  /** Normalisation layers. */
  norm: oneOf(...normNames).default("batch"),
  /** Share of the values that each block drops between its convolutions. */
  dropout: belowOne().default(0),
  /** Score images by a separate linear head instead of the logits' logsumexp. */
  unconditional: flag().default(false),
  /** How training stores the values between layers; float16 takes half the memory for them, and rounds them to 11 bits. */
  activations: oneOf(...activationTypes).default("float32"),
  /**
   * What convolutions multiply in training; float16 takes an adapter's matrix units, which round factors to 11 bits and sum in
   * float32. Gradients by weights stay float32. Only Dawn reaches matrix units.
   */
  products: oneOf(...productTypes).default("float32"),

  /** p_x, the weight of −log p(x); 0 trains a plain classifier. */
  likelihoodWeight: nonNegative().default(1),
  /** p_{y|x}, the weight of −log p(y|x); 0 trains a model that only generates. */
  classificationWeight: nonNegative().default(1),
  /** Images of each batch of the likelihood term, real and sampled. */
  likelihoodBatch: integer(1, 65535).default(64),
  /** Images of each labelled batch. */
  labelledBatch: integer(1, 65535).default(128),
  /** S, the number of parts that each batch and the replay buffer are divided into. The processes of a job share them. */
  shards: integer(1, mostShards).default(1),
  /** Weight of the squared mean scores. */
  l2: nonNegative().default(0),
  /** Augment the likelihood's images as well, as JEM and JEM++ do; SADA-JEM does not. */
  augmentLikelihood: flag().default(false),
  /** σ of Gaussian noise added to the likelihood's real images, which span [−1, 1]. */
  inputNoise: nonNegative().default(0),

  /** Where chains start: class-wise Gaussians fitted to the data, or uniform noise. */
  initialisation: oneOf("informative", "uniform").default("informative"),
  /** Images in the replay buffer. */
  bufferSize: integer(1, 10_000_000).default(10_000),
  /** Probability that a chain starts afresh instead of from the buffer. */
  reinitProbability: share().default(0.05),
  /** K, SGLD steps a chain; 0 only without the likelihood term. */
  steps: integer(0, 10_000).default(5),
  /** α, the SGLD step size. */
  stepSize: nonNegative().default(1),
  /** σ of the noise of an SGLD step. */
  noiseScale: nonNegative().default(0),
  /** Bound on each component of the score's gradient; null for none. */
  gradientClamp: orNull(positive()).default(1),
  /** N, JEM++'s inner steps (PYLD) after each of the K steps, along the same gradient; 0 for plain SGLD. */
  innerSteps: integer(0, 1000).default(0),
  /** Size of the inner steps. */
  innerStepSize: positive().default(0.2),
  /** Bound on each component of the gradient in the inner steps; null for none. */
  innerClamp: orNull(positive()).default(1),
  /** Whether batch norm uses the chains' own statistics while sampling, or the running ones. */
  samplerNorm: oneOf("train", "eval").default("train"),

  /** Optimizer that takes SAM's gradient. */
  optimizer: oneOf("sgd", "adam").default("sgd"),
  /** Learning rate after the warm-up and before the decays. */
  learningRate: positive().default(0.1),
  /** Momentum of SGD. */
  momentum: belowOne().default(0.9),
  /** Factor of the parameters in the gradient. */
  weightDecay: nonNegative().default(5e-4),
  /** β₁ of Adam. */
  beta1: belowOne().default(0.9),
  /** β₂ of Adam. */
  beta2: belowOne().default(0.999),
  /** Iterations over which the learning rate grows linearly from 0. */
  warmup: integer(0).default(1000),
  /** Epochs, fractions allowed, at which the learning rate is multiplied by `decayRate`. */
  decayEpochs: ascending(positive()).default([60, 120, 180]),
  /** The same in iterations; at most one of the two lists has entries. */
  decayIterations: ascending(integer(1)).default([]),
  /** Factor of the learning rate at each decay. */
  decayRate: share().default(0.2),
  /** Length of the run in iterations; null if given in epochs. */
  iterations: orNull(integer(1)).default(null),
  /** Length of the run in passes over the labelled stream, fractions allowed; null if given in iterations. */
  epochs: orNull(positive()).default(200),

  /** ρ, the radius of SAM's ascent; 0 is training without SAM. */
  rho: nonNegative().default(2),
  /** Whether SAM ascends along the mean of the shards' gradients, or each shard along its own. */
  ascent: oneOf("global", "local").default("global"),
  /** Scale SAM's ascent by the parameters (ASAM); null does so if ρ ≥ 0.5. */
  adaptive: orNull(flag()).default(null),
  /** Let `likelihoodWeight` and `l2` act in SAM's second pass too, which the official code leaves out. */
  consistentPasses: flag().default(false),
  /** Magnitude of the weighted likelihood term that counts as divergence. */
  divergenceLimit: positive().default(1e5),
  /** Times that a run goes back to an earlier checkpoint when it shows signs of divergence; 0 stops at the first. */
  recover: integer(0, 20).default(3),

  /** Seed of everything random. */
  seed: integer(0, Number.MAX_SAFE_INTEGER).default(1),
  /** Pixels of reflect-padding before the random crop of labelled images; null for the data set's own. */
  padding: orNull(integer(0, 31)).default(null),
  /** Flip labelled images at random; null for the data set's own. */
  flip: orNull(flag()).default(null),
  /** Iterations between checkpoints; 0 for none by iterations. The first is before training, the last at the end. */
  checkpointEvery: integer(0).default(1000),
  /** Minutes between checkpoints, besides those by iterations; 0 for none by time. No result depends on it. */
  checkpointMinutes: nonNegative().default(10),
  /** Iterations between pictures of samples; 0 for one at the end. */
  samplesEvery: integer(0).default(1000),
  /** Iterations between evaluations on the test set; 0 for one at the end. */
  evaluateEvery: integer(0).default(390),
  /** Newest checkpoints kept; with `recover`, a few older ones are kept besides. */
  keepCheckpoints: integer(1).default(3),

  /** What was changed by hand when the run was resumed, from which iteration on, and after how many attempts to recover; values before and after. Runs write it. */
  history: z.array(z.strictObject({
    iteration: integer(0, Number.MAX_SAFE_INTEGER),
    attempts: integer(0),
    changes: z.record(z.string(), z.tuple([z.json(), z.json()])),
  })).describe("a list of changes as runs write it").default([]),
});

/** A complete, checked configuration. */
export type Configuration = Readonly<z.output<typeof schema>>;

/** Options that say the same thing in two ways, with the value of the one that is not used. */
const alternatives = [
  { keys: ["iterations", "epochs"], unused: null },
  { keys: ["decayIterations", "decayEpochs"], unused: [] },
] as const;

interface Conflict {
  readonly broken: (configuration: Configuration) => boolean;
  readonly message: (configuration: Configuration) => string;
}

/** Options that are divided among the shards; the first two are used by the likelihood only. */
const dividedOptions = ["likelihoodBatch", "bufferSize", "labelledBatch"] as const;

/** The first option that cannot be divided evenly. */
function undivided(configuration: Configuration): typeof dividedOptions[number] | undefined {
  const { shards, likelihoodWeight } = configuration;
  const used = likelihoodWeight > 0 ? dividedOptions : dividedOptions.slice(2);
  return used.find((option) => configuration[option] % shards !== 0);
}

/** Rules between options: what must not be, and how to say it. */
const conflicts: readonly Conflict[] = [
  {
    broken: ({ iterations, epochs }) => (iterations === null) === (epochs === null),
    message: () => "give exactly one of iterations and epochs, and null for the other",
  },
  {
    broken: ({ decayIterations, decayEpochs }) => decayIterations.length > 0 && decayEpochs.length > 0,
    message: () => "give decayIterations or decayEpochs, and [] for the other",
  },
  {
    broken: ({ likelihoodWeight, steps }) => likelihoodWeight > 0 && steps === 0,
    message: () => "steps is 0; it must be at least 1 when likelihoodWeight is above 0",
  },
  {
    broken: ({ likelihoodWeight, classificationWeight }) =>
      likelihoodWeight === 0 && classificationWeight === 0,
    message: () => "likelihoodWeight and classificationWeight are both 0; there is nothing to train",
  },
  {
    broken: ({ stepSize, innerSteps }) => stepSize === 0 && innerSteps === 0,
    message: () => "stepSize is 0; it must be above 0 when innerSteps is 0",
  },
  {
    broken: ({ dataset, padding }) => dataset === "digits" && (padding ?? 0) > 7,
    message: ({ padding }) =>
      `padding is ${padding}; it must be at most 7 for digits, which are 8 pixels wide`,
  },
  {
    broken: (configuration) => undivided(configuration) !== undefined,
    message: (configuration) => {
      const option = undivided(configuration)!;
      return `shards is ${configuration.shards}; it must divide ${option}, which is ${configuration[option]}`;
    },
  },
];

/**
 * Checks options given by name; those that are missing take the published CIFAR-10 values. Where an option excludes
 * another, such as `iterations` and `epochs`, giving one replaces the default of the other.
 * @throws {ConfigurationError} naming every wrong key with its value and what is allowed, on one line.
 */
export function parseConfiguration(value: unknown): Configuration {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ConfigurationError("configuration: expected an object of options");
  }
  const options = { ...value } as Record<string, unknown>;
  for (const key of Object.keys(options)) requireKnown(key);
  for (const { keys } of alternatives) {
    const [given, ...others] = keys.filter((key) => options[key] !== undefined);
    if (given !== undefined && others.length === 0) switchOffAlternatives(options, given);
  }
  const result = schema.safeParse(options);
  if (!result.success) {
    const keys = new Set(result.error.issues.map(({ path }) => path[0] as OptionName));
    throw new ConfigurationError(
      `configuration: ${
        [...keys].map((key) => `${key} is ${show(options[key])}; ${allowed(key)}`).join("; ")
      }`,
    );
  }
  const broken = conflicts.find((rule) => rule.broken(result.data));
  if (broken) throw new ConfigurationError(`configuration: ${broken.message(result.data)}`);
  return result.data;
}

/**
 * Options with one of them replaced, for `--set key=value`. The value of an option that is text is taken as it is, but
 * for `null` and a string in quotes; any other is read as JSON, or else as a string. Setting one
 * of two options that exclude each other, such as `iterations` and `epochs`, switches the other off.
 * @throws {ConfigurationError} if there is no `=` or no such option; the value itself is checked by
 * {@link parseConfiguration}.
 */
export function applySetting(
  options: Readonly<Record<string, unknown>>,
  setting: string,
): Record<string, unknown> {
  const [, key, text] = /^([^=]+)=(.*)$/s.exec(setting) ?? [];
  if (key === undefined || text === undefined) {
    throw new ConfigurationError(`configuration: ${show(setting)} is not of the form key=value`);
  }
  requireKnown(key);
  if (key === "history") throw new ConfigurationError("configuration: history is only written by runs");
  const changed: Record<string, unknown> = { ...options, [key]: parseValue(key, text) };
  switchOffAlternatives(changed, key);
  return changed;
}

/** Gives what the option `chosen` excludes the value of not being used, unless that is `chosen`'s own value. */
function switchOffAlternatives(options: Record<string, unknown>, chosen: string): void {
  for (const { keys, unused } of alternatives) {
    if (!keys.some((key) => key === chosen) || isUnused(options[chosen])) continue;
    for (const key of keys) if (key !== chosen) options[key] = unused;
  }
}

type OptionName = keyof typeof schema.shape;

const optionNames = Object.keys(schema.shape) as OptionName[];

function requireKnown(key: string): asserts key is OptionName {
  if (optionNames.some((name) => name === key)) return;
  throw new ConfigurationError(
    `configuration: unknown option ${show(key)}; did you mean ${closest(key, optionNames)}?`,
  );
}

function isUnused(value: unknown): boolean {
  return value === null || (Array.isArray(value) && value.length === 0);
}

/** What an option may be: a default wraps the schema that describes it. */
function allowed(key: OptionName): string {
  return `it must be ${schema.shape[key].unwrap().description}`;
}

function parseValue(key: OptionName, text: string): unknown {
  try {
    const value = JSON.parse(text);
    return isText(key) && value !== null && typeof value !== "string" ? text : value;
  } catch {
    return text;
  }
}

/** Whether an option is text, such as a path or a name, so that `2024` and `true` are no number and no flag. */
function isText(key: OptionName): boolean {
  const given = schema.shape[key].unwrap();
  const type = given instanceof z.ZodNullable ? given.unwrap() : given;
  return type instanceof z.ZodString || type instanceof z.ZodEnum;
}

/** A value on one line, not too long; numbers that JSON lacks as they are. */
function show(value: unknown): string {
  const text = typeof value === "number" ? String(value) : JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
