import type { WideResNet } from "../nn/wide_resnet.ts";
import { add, multiply } from "../tensor/operations/arithmetic.ts";
import { mean } from "../tensor/operations/reduce.ts";
import { softmaxCrossEntropy } from "../tensor/operations/softmax_cross_entropy.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Pooled features `[N, C]` of the images in one evaluation of the objective. A term of weight 0 needs none. */
export interface BatchFeatures {
  /** Of x_p: real images, not augmented, for the likelihood. */
  readonly real?: Tensor | undefined;
  /** Of x_q: images drawn from the model. */
  readonly generated?: Tensor | undefined;
  /** Of x_l: augmented images, for the classification. */
  readonly labelled?: Tensor | undefined;
}

/** Weights of the terms. The first or the last must be above 0. */
export interface ObjectiveWeights {
  /** p_x. With 0 the likelihood is left out, which trains a plain softmax classifier. */
  readonly likelihoodWeight: number;
  /** Weight of the squared mean scores. */
  readonly l2: number;
  /** p_{y|x}, the weight of the cross-entropy. 0 trains a pure energy-based model. */
  readonly classificationWeight: number;
}

/** The scalars of one evaluation, `[1]` each. A term of weight 0 is left out. */
export interface Losses {
  readonly total: Tensor;
  readonly classification?: {
    /** Mean cross-entropy, without p_{y|x}. */
    readonly crossEntropy: Tensor;
    /** Fraction of the labelled images that are classified correctly. */
    readonly accuracy: Tensor;
  };
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
 * L(θ) = p_x·[ −(mean s(x_p) − mean s(x_q)) + l2·(mean s(x_p)² + mean s(x_q)²) ] + p_{y|x}·CE(f(x_l), y_l), s = log p̃.
 *
 * Augmentation stays out of the likelihood: x_p is not augmented, x_l is.
 * @param labels of x_l, uint32 `[N]`
 */
export function objective(
  model: WideResNet,
  { real, generated, labelled }: BatchFeatures,
  labels: Tensor,
  { likelihoodWeight, classificationWeight, l2 }: ObjectiveWeights,
): Losses {
  const likelihood = real && generated && contrastive(model, real, generated, l2);
  const classification = labelled && classify(model, labelled, labels);
  if (!likelihood) {
    return {
      total: scaled(classification!.crossEntropy, classificationWeight),
      classification: classification!,
    };
  }
  const generative = scaled(likelihood.value, likelihoodWeight);
  if (!classification) return { total: generative, likelihood };
  const total = add(generative, classification.crossEntropy, classificationWeight);
  return { total, classification, likelihood };
}

function scaled(value: Tensor, weight: number): Tensor {
  return weight === 1 ? value : add(value, value, weight - 1);
}

/** −log p(y|x). */
function classify(model: WideResNet, features: Tensor, labels: Tensor) {
  const { losses, correct } = softmaxCrossEntropy(model.classifyFeatures(features), labels);
  return { crossEntropy: mean(losses), accuracy: mean(correct) };
}

/** −log p(x), by its contrastive gradient: lower the energy of real images, raise that of generated ones. */
function contrastive(model: WideResNet, realFeatures: Tensor, generatedFeatures: Tensor, l2: number) {
  const real = mean(model.scoreFeatures(realFeatures));
  const generated = mean(model.scoreFeatures(generatedFeatures));
  const difference = add(generated, real, -1);
  const value = l2 === 0
    ? difference
    : add(difference, add(multiply(real, real), multiply(generated, generated)), l2);
  return { value, real, generated };
}
