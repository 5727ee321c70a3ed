/**
 * The options of a training run: their meaning, their allowed values and their defaults, which are the published values
 * for CIFAR-10 (Yang, Su, Ji, CVPR 2023). The type of a configuration, its check, `--help=options` and docs/options.md
 * are generated from these.
 */

import * as z from "zod";
import { datasetNames } from "../data/dataset.ts";
import { productTypes } from "../gpu/matrix_units.ts";
import { normNames } from "../nn/norms.ts";
import { activationTypes } from "../nn/wide_resnet.ts";
import { mostShards } from "../random/philox.ts";

// The allowed values are described before the default, the meaning of the option after it.

/** A number of iterations, images and the like. */
const integer = (low: number, high = 1e9) =>
  z.int().min(low).max(high).describe(`a whole number from ${low} to ${high}`);
const nonNegative = () => z.number().min(0).describe("a number of at least 0");
const positive = () => z.number().gt(0).describe("a number above 0");
const share = () => z.number().min(0).max(1).describe("a number from 0 to 1");
/** A decay rate of moments, which must leave something to a new gradient, or a share that must not be everything. */
const belowOne = () => z.number().min(0).lt(1).describe("a number of at least 0 and below 1");
/** A share that must be neither nothing nor everything. */
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

const data = {
  dataset: oneOf(...datasetNames).default("cifar10")
    .describe("Data set; images is a folder of pictures."),
  dataFolder: orNull(z.string().min(1).describe("a path")).default(null)
    .describe("Folder with the data set's files; null for where the data task puts them."),
  dataLimit: orNull(integer(1)).default(null)
    .describe("Train on this number of images only, each class keeping its share; null for all."),
  imageSize: integer(8, 64).default(32)
    .describe("Side, in pixels, to which the pictures of a folder are cropped and resized."),
  testShare: properShare().default(0.1)
    .describe("Share of each class held out for testing if a folder has no test pictures of its own."),
  validationCount: integer(0).default(0)
    .describe("Training images held out; evaluations during training use them instead of the test set."),
  labelsPerClass: orNull(integer(1)).default(null)
    .describe("Images of each class whose label is used; null for all. The likelihood uses all images."),
  residentMebibytes: integer(0).default(4096)
    .describe(
      "GPU memory for the training images, in MiB; if they take more, each batch is uploaded.",
    ),
};

const network = {
  depth: z.int().min(10).max(1000).refine((depth) => depth % 6 === 4)
    .describe("6n + 4 from 10 to 1000, such as 10, 16, 22 or 28").default(28)
    .describe("Depth of the Wide ResNet, in layers."),
  width: integer(1, 100).default(10)
    .describe("Width factor of the Wide ResNet."),
  norm: oneOf(...normNames).default("batch")
    .describe("Normalisation layers; act is ActNorm."),
  dropout: belowOne().default(0)
    .describe("Share of the values that each block drops between its convolutions."),
  unconditional: flag().default(false)
    .describe("Score images by a separate linear head instead of the logits' logsumexp."),
  activations: oneOf(...activationTypes).default("float32")
    .describe(
      "How training stores the values between layers; float16 halves their memory and rounds them to 11 bits.",
    ),
  products: oneOf(...productTypes).default("float32")
    .describe(
      "What convolutions multiply in training; float16 takes an adapter's matrix units, which round factors to 11 bits " +
        "and sum in float32. Gradients with respect to weights stay float32. Only Dawn reaches matrix units.",
    ),
};

const objective = {
  likelihoodWeight: nonNegative().default(1)
    .describe("p_x, the weight of −log p(x); 0 trains a plain classifier."),
  classificationWeight: nonNegative().default(1)
    .describe("p_{y|x}, the weight of −log p(y|x); 0 trains a model that only generates."),
  likelihoodBatch: integer(1, 65535).default(64)
    .describe("Images of each batch of the likelihood term, real and sampled."),
  labelledBatch: integer(1, 65535).default(128)
    .describe("Images of each labelled batch."),
  shards: integer(1, mostShards).default(1)
    .describe(
      "S, the number of parts that each batch and the replay buffer are divided into. The processes of a job share them.",
    ),
  l2: nonNegative().default(0)
    .describe("Weight of the squared mean scores."),
  augmentLikelihood: flag().default(false)
    .describe("Augment the likelihood's images as well, as JEM and JEM++ do; SADA-JEM does not."),
  inputNoise: nonNegative().default(0)
    .describe("σ of Gaussian noise added to the likelihood's real images, which span [−1, 1]."),
};

const chains = {
  initialisation: oneOf("informative", "uniform").default("informative")
    .describe("Where chains start: class-wise Gaussians fitted to the data, or uniform noise."),
  bufferSize: integer(1, 10_000_000).default(10_000)
    .describe("Images in the replay buffer."),
  reinitProbability: share().default(0.05)
    .describe("Probability that a chain starts afresh instead of from the buffer."),
  steps: integer(0, 10_000).default(5)
    .describe("K, SGLD steps a chain; 0 only without the likelihood term."),
  stepSize: nonNegative().default(1)
    .describe("α, the SGLD step size: the factor of the score's gradient, for images that span [−1, 1]."),
  noiseScale: nonNegative().default(0)
    .describe("σ of the noise of an SGLD step, for images that span [−1, 1]."),
  gradientClamp: orNull(positive()).default(1)
    .describe("Bound on each component of the score's gradient; null for none."),
  innerSteps: integer(0, 1000).default(0)
    .describe(
      "N, JEM++'s inner steps (PYLD) after each of the K steps, along the same gradient; 0 for plain SGLD.",
    ),
  innerStepSize: positive().default(0.2)
    .describe("Size of the inner steps."),
  innerClamp: orNull(positive()).default(1)
    .describe("Bound on each component of the gradient in the inner steps; null for none."),
  samplerNorm: oneOf("train", "eval").default("train")
    .describe("Statistics of batch norm while sampling: train takes the chains' own, eval the running ones."),
};

const optimisation = {
  optimizer: oneOf("sgd", "adam").default("sgd")
    .describe("Optimizer that takes SAM's gradient."),
  learningRate: positive().default(0.1)
    .describe("Learning rate after the warm-up and before the decays."),
  momentum: belowOne().default(0.9)
    .describe("Momentum of SGD."),
  weightDecay: nonNegative().default(5e-4)
    .describe("Factor of the parameters in the gradient."),
  beta1: belowOne().default(0.9)
    .describe("β₁ of Adam."),
  beta2: belowOne().default(0.999)
    .describe("β₂ of Adam."),
  warmup: integer(0).default(1000)
    .describe("Iterations over which the learning rate grows linearly from 0."),
  decayEpochs: ascending(positive()).default([60, 120, 180])
    .describe("Epochs, fractions allowed, at which the learning rate is multiplied by decayRate."),
  decayIterations: ascending(integer(1)).default([])
    .describe("The same in iterations; at most one of the two lists has entries."),
  decayRate: share().default(0.2)
    .describe("Factor of the learning rate at each decay."),
  iterations: orNull(integer(1)).default(null)
    .describe("Length of the run in iterations; null if given in epochs."),
  epochs: orNull(positive()).default(200)
    .describe(
      "Length of the run in passes over the labelled stream, fractions allowed; null if given in iterations.",
    ),
};

const stability = {
  rho: nonNegative().default(2)
    .describe("ρ, the radius of SAM's ascent; 0 is training without SAM."),
  ascent: oneOf("global", "local").default("global")
    .describe(
      "SAM ascends along the mean of the shards' gradients (global), or each shard along its own (local).",
    ),
  adaptive: orNull(flag()).default(null)
    .describe("Scale SAM's ascent by the parameters (ASAM); null does so if ρ ≥ 0.5."),
  consistentPasses: flag().default(false)
    .describe(
      "Let likelihoodWeight and l2 act in SAM's second pass too, which the official code leaves out.",
    ),
  divergenceLimit: positive().default(1e5)
    .describe("Magnitude of the weighted likelihood term that counts as divergence."),
  recover: integer(0, 20).default(3)
    .describe(
      "Times that a run goes back to an earlier checkpoint when it shows signs of divergence; 0 stops at the first.",
    ),
};

const run = {
  seed: integer(0, Number.MAX_SAFE_INTEGER).default(1)
    .describe("Seed of everything random."),
  padding: orNull(integer(0, 31)).default(null)
    .describe(
      "Pixels of reflect-padding before the random crop of labelled images; null for the data set's own.",
    ),
  flip: orNull(flag()).default(null)
    .describe("Flip labelled images at random; null for the data set's own."),
  checkpointEvery: integer(0).default(1000)
    .describe(
      "Iterations between checkpoints; 0 for none by iterations. The first is before training, the last at the end.",
    ),
  checkpointMinutes: nonNegative().default(10)
    .describe(
      "Minutes between checkpoints, besides those by iterations; 0 for none by time. No result depends on it.",
    ),
  samplesEvery: integer(0).default(1000)
    .describe("Iterations between pictures of samples; 0 for one at the end."),
  evaluateEvery: integer(0).default(390)
    .describe("Iterations between evaluations on the test set; 0 for one at the end."),
  keepCheckpoints: integer(1).default(3)
    .describe("Newest checkpoints kept; with recover, a few older ones are kept besides."),
};

const records = {
  origin: orNull(
    z.strictObject({ path: z.string(), sha256: z.string().regex(/^[0-9a-f]{64}$/) })
      .describe("a path and the SHA-256 of its file, as runs write them"),
  ).default(null)
    .describe("The trained model that the run began with, as it was named; null for a new one."),
  history: z.array(z.strictObject({
    iteration: integer(0, Number.MAX_SAFE_INTEGER),
    attempts: integer(0),
    changes: z.record(z.string(), z.tuple([z.json(), z.json()])),
  })).describe("a list of changes as runs write it").default([])
    .describe(
      "What was changed by hand when the run was resumed, from which iteration on, and after how many attempts to " +
        "recover; values before and after.",
    ),
};

/** The schema of a configuration. */
export const configurationSchema = z.strictObject({
  ...data,
  ...network,
  ...objective,
  ...chains,
  ...optimisation,
  ...stability,
  ...run,
  ...records,
});

const { shape } = configurationSchema;

/** The name of an option. */
export type OptionName = keyof typeof shape;

/** The names of all options. */
export const optionNames = Object.keys(shape) as OptionName[];

/** Options that no user sets. */
export const writtenByRuns: readonly string[] = Object.keys(records);

/** The options in groups, with a title each, in the order of the help. */
export const optionGroups: readonly { readonly title: string; readonly names: readonly OptionName[] }[] =
  Object.entries({
    "Data": data,
    "Network": network,
    "Objective and batches": objective,
    "Sampling": chains,
    "Optimisation": optimisation,
    "SAM and divergence": stability,
    "Course of the run": run,
    "Written by runs, never by --set": records,
  }).map(([title, options]) => ({ title, names: Object.keys(options) as OptionName[] }));

/** The meaning of an option, in sentences. */
export function meaningOf(name: OptionName): string {
  return shape[name].description!;
}

/** The allowed values of an option, to follow the words "it must be". A default wraps the schema that has them. */
export function allowedValues(name: OptionName): string {
  return shape[name].unwrap().description!;
}

/** Whether an option is text, such as a path or a name, so that `2024` and `true` are not a number and a flag. */
export function isText(name: OptionName): boolean {
  const given = shape[name].unwrap();
  const type = given instanceof z.ZodNullable ? given.unwrap() : given;
  return type instanceof z.ZodString || type instanceof z.ZodEnum;
}
