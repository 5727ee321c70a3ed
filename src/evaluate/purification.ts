/** SGLD purification before classifying (JEM, section 5.4; Hill et al., ICLR 2021), and its attack by BPDA + EOT. */

import { generate } from "../jem/generate.ts";
import { unconditionalScore } from "../jem/score.ts";
import { streamWords } from "../random/philox.ts";
import type { WideResNet } from "../nn/wide_resnet.ts";
import { evaluation } from "../nn/wide_resnet.ts";
import { linear } from "../tensor/operations/linear.ts";
import { sum } from "../tensor/operations/reduce.ts";
import { softmaxCrossEntropy } from "../tensor/operations/softmax_cross_entropy.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Defence } from "./attack.ts";
import { largestOfRows } from "./probabilities.ts";

/** How images are purified, and how the attack sees through it. Defaults are the official configuration's values. */
export interface PurificationOptions {
  /** SGLD steps of each purification. */
  readonly steps: number;
  /** α, the step size. */
  readonly stepSize: number;
  /** σ of the noise; 0.01 in the official code. */
  readonly noiseScale: number;
  /** Number of purifications over which the attack's gradient, and a first verdict, are averaged: 15. */
  readonly attackReplicas: number;
  /** Number of purifications whose mean logits must agree that an image is broken: 150. */
  readonly verificationReplicas: number;
  readonly seed: number;
  /**
   * Index, among all attacked images, of the first image it defends, which decides the random numbers; 0 by default.
   */
  readonly first?: number;
}

/**
 * The classifier behind purification: SGLD from the image climbs log p̃, then the mean logits of several replicas
 * decide. The attack takes the gradient of the loss at the purified images, as if purification were the identity
 * (BPDA), averaged over the replicas (EOT).
 */
export class PurifyingDefence implements Defence {
  #draws = 0;

  constructor(readonly model: WideResNet, readonly options: PurificationOptions) {}

  async evaluate(images: Tensor, labels: Uint32Array): Promise<{ correct: boolean[]; gradient: Tensor }> {
    const { context } = images;
    const replicas = this.options.attackReplicas;
    using purified = await this.#purify(images, replicas);
    let logits: Tensor | undefined;
    const { value, gradients } = context.differentiate({ inputs: [purified] }, () => {
      logits = meanOfReplicas(this.model.classify(purified, evaluation), replicas);
      return sum(softmaxCrossEntropy(logits, context.from(labels, [labels.length])).losses);
    });
    value.dispose();
    using mean = logits!;
    const correct = this.#verdicts(await mean.read(), labels);
    using all = gradients[0]!;
    const gradient = context.from(averageReplicas(await all.read(), replicas), images.shape);
    for (let i = 0; i < labels.length; i++) {
      if (!correct[i]) correct[i] = await this.#verified(images, labels, i);
    }
    return { correct, gradient };
  }

  /** Whether image `i` is still classified correctly by many replicas. */
  async #verified(images: Tensor, labels: Uint32Array, i: number): Promise<boolean> {
    const { context } = images;
    const [, ...shape] = images.shape;
    const pixels = images.size / labels.length;
    const replicas = this.options.verificationReplicas;
    const values = (await images.read()).slice(i * pixels, (i + 1) * pixels);
    using image = context.from(values, [1, ...shape]);
    using purified = await this.#purify(image, replicas);
    using mean = context.scope(() => meanOfReplicas(this.model.classify(purified, evaluation), replicas));
    return this.#verdicts(await mean.read(), labels.subarray(i, i + 1))[0]!;
  }

  /** Replicas of a batch (the whole batch `replicas` times) after the chain. */
  async #purify(images: Tensor, replicas: number): Promise<Tensor> {
    const { context } = images;
    const { steps, stepSize, noiseScale } = this.options;
    const [batch = 0, ...shape] = images.shape;
    const values = await images.read();
    const repeated = new Float32Array(replicas * values.length);
    for (let replica = 0; replica < replicas; replica++) repeated.set(values, replica * values.length);
    const chains = context.from(repeated, [replicas * batch, ...shape]);
    const score = unconditionalScore(this.model);
    const before = this.#draws;
    this.#draws += steps;
    await generate(score, chains, { steps, stepSize, noiseScale }, (step) => this.#stream(before + step));
    return chains;
  }

  /** The random stream of a step, counted over all purifications of these images. */
  #stream(step: number): Uint32Array {
    const words = streamWords(this.options.seed, step);
    words[3] = this.options.first ?? 0;
    return words;
  }

  #verdicts(logits: Float32Array, labels: Uint32Array): boolean[] {
    const { positions } = largestOfRows(logits, this.model.architecture.classes);
    return Array.from(labels, (label, i) => positions[i] === label);
  }
}

/** Mean logits `[N, classes]` of `[replicas · N, classes]`, by a product with a constant matrix. */
function meanOfReplicas(logits: Tensor, replicas: number): Tensor {
  const { context } = logits;
  const [rows = 0, classes = 0] = logits.shape;
  const batch = rows / replicas;
  const average = new Float32Array(batch * rows);
  for (let n = 0; n < batch; n++) {
    for (let replica = 0; replica < replicas; replica++) {
      average[n * rows + replica * batch + n] = 1 / replicas;
    }
  }
  return linear(context.from(average, [batch, rows]), logits, context.zeros([classes]));
}

function averageReplicas(values: Float32Array, replicas: number): Float32Array {
  const length = values.length / replicas;
  const mean = new Float32Array(length);
  values.forEach((value, i) => mean[i % length]! += value / replicas);
  return mean;
}
