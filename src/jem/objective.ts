import type { WideResNet } from "../nn/wide_resnet.ts";
import { add, multiply } from "../tensor/operations/arithmetic.ts";
import type { NormMode } from "../tensor/operations/batch_norm.ts";
import { mean } from "../tensor/operations/reduce.ts";
import { softmaxCrossEntropy } from "../tensor/operations/softmax_cross_entropy.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** What one evaluation of the objective sees. */
export interface Batch {
  /** x_p: real images, not augmented, for the likelihood. */
  readonly real: Tensor;
  /** x_q: images drawn from the model. Called after the forward pass of the real images. */
  readonly generated: () => Tensor;
  /** x_l: augmented images, and their labels, uint32 `[N]`. */
  readonly labelled: Tensor;
  readonly labels: Tensor;
}

/** Weights of the terms. */
export interface ObjectiveWeights {
  /** p_x; 0 leaves the likelihood out: a plain softmax classifier. */
  readonly likelihoodWeight: number;
  /** Weight of the squared mean scores. */
  readonly l2: number;
}

/** The scalars of one evaluation, `[1]` each. */
export interface Losses {
  readonly total: Tensor;
  readonly crossEntropy: Tensor;
  /** Fraction of the labelled images that are classified right. */
  readonly accuracy: Tensor;
  /** The likelihood's parts; left out with it. */
  readonly likelihood?: {
    /** −(mean s(x_p) − mean s(x_q)) + l2·(…), without p_x. */
    readonly value: Tensor;
    /** mean s(x_p), minus the mean energy of real images. */
    readonly real: Tensor;
    /** mean s(x_q), minus the mean energy of generated images. */
    readonly generated: Tensor;
  };
}

/**
 * The joint objective −log p(x, y) (JEM, equation 5, with the likelihood's gradient by contrastive samples):
 *
 * L(θ) = p_x·[ −(mean s(x_p) − mean s(x_q)) + l2·(mean s(x_p)² + mean s(x_q)²) ] + CE(f(x_l), y_l), s = log p̃.
 *
 * Augmentation stays out of the likelihood: x_p is not augmented, x_l is. The three batches have batch statistics of
 * their own.
 */
export function objective(
  model: WideResNet,
  batch: Batch,
  weights: ObjectiveWeights,
  mode: NormMode,
): Losses {
  const { likelihoodWeight } = weights;
  const likelihood = likelihoodWeight > 0 ? contrastive(model, batch, weights.l2, mode) : undefined;
  const { losses, correct } = softmaxCrossEntropy(model.classify(batch.labelled, mode), batch.labels);
  const crossEntropy = mean(losses);
  const accuracy = mean(correct);
  if (!likelihood) return { total: crossEntropy, crossEntropy, accuracy };
  return { total: add(crossEntropy, likelihood.value, likelihoodWeight), crossEntropy, accuracy, likelihood };
}

/** −log p(x), by its contrastive gradient: lower the energy of real images, raise that of generated ones. */
function contrastive(model: WideResNet, batch: Batch, l2: number, mode: NormMode) {
  const real = mean(model.energyScore(batch.real, mode));
  const generated = mean(model.energyScore(batch.generated(), mode));
  const difference = add(generated, real, -1);
  const value = l2 === 0
    ? difference
    : add(difference, add(multiply(real, real), multiply(generated, generated)), l2);
  return { value, real, generated };
}
