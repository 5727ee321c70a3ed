/** What chains climb: log densities of a model. */

import { evaluation, type WideResNet } from "../nn/wide_resnet.ts";
import { add } from "../tensor/operations/arithmetic.ts";
import type { NormMode } from "../tensor/operations/batch_norm.ts";
import { logSumExp } from "../tensor/operations/log_sum_exp.ts";
import { selectColumn } from "../tensor/operations/select_column.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Score } from "./sgld.ts";

/**
 * log p̃(x): chains draw from p(x).
 * @param mode of batch norm: the running statistics, or those of `ReferenceChains`
 */
export function unconditionalScore(model: WideResNet, mode: NormMode = evaluation): Score {
  return (images) => model.energyScore(images, mode);
}

/**
 * log p̃(x, y) = f(x)[y], for the class given for each image: chains draw from p(x|y).
 * @param mode of batch norm: the running statistics, or those of `ReferenceChains`
 */
export function conditionalScore(model: WideResNet, labels: Tensor, mode: NormMode = evaluation): Score {
  return (images) => {
    using logits = model.classify(images, mode);
    return selectColumn(logits, labels);
  };
}

/** log p(y|x) with the running statistics, for the class given for each image: chains climb to distal adversaries. */
export function posteriorScore(model: WideResNet, labels: Tensor): Score {
  return (images) => {
    using logits = model.classify(images, evaluation);
    using chosen = selectColumn(logits, labels);
    using all = logSumExp(logits);
    return add(chosen, all, -1);
  };
}
