import { evaluation, type WideResNet } from "../nn/wide_resnet.ts";
import { logSumExp } from "../tensor/operations/log_sum_exp.ts";
import { sum } from "../tensor/operations/reduce.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { batchSize, type Features, type ImageSource } from "./features.ts";
import { largestOfRows, softmaxRows } from "./probabilities.ts";

/** The scores by which the paper tells images of the model's own kind from others; higher is more likely its own. */
export interface ImageScores {
  /** log p̃(x). */
  readonly logDensity: Float64Array;
  /** max_y p(y|x). */
  readonly confidence: Float64Array;
  /** −‖∇_x log p̃(x)‖₂ (JEM, section 5.3, approximate mass). */
  readonly gradientNorm: Float64Array;
}

/** The scores' names with what they are called in tables. */
export const scoreNames: Readonly<Record<keyof ImageScores, string>> = {
  logDensity: "log p̃(x)",
  confidence: "max p(y|x)",
  gradientNorm: "−‖∇ log p̃(x)‖",
};

/**
 * Scores every image of a set, with the running statistics.
 * @param progress called with the number of images done
 */
export async function scoreImages(
  model: WideResNet,
  images: ImageSource,
  progress?: (done: number) => void,
): Promise<ImageScores> {
  const { architecture: { classes } } = model;
  const scores: ImageScores = {
    logDensity: new Float64Array(images.count),
    confidence: new Float64Array(images.count),
    gradientNorm: new Float64Array(images.count),
  };
  for (let start = 0; start < images.count; start += batchSize) {
    const count = Math.min(batchSize, images.count - start);
    using batch = images.range(start, count);
    const { logits, density, gradient } = await scoreBatch(model, batch);
    scores.logDensity.set(density, start);
    scores.confidence.set(largestOfRows(softmaxRows(logits, classes), classes).values, start);
    for (let i = 0; i < count; i++) {
      const pixels = gradient.length / count;
      const squares = gradient.subarray(i * pixels, (i + 1) * pixels).reduce((total, g) => total + g * g, 0);
      scores.gradientNorm[start + i] = -Math.sqrt(squares);
    }
    progress?.(start + count);
  }
  return scores;
}

/**
 * log p̃(x) of images whose logits are known; without an unconditional head, these are all that it takes.
 * @param features of every image, by the same model
 * @param progress called with the number of images done
 */
export async function logDensities(
  model: WideResNet,
  images: ImageSource,
  { logits }: Features,
  progress?: (done: number) => void,
): Promise<Float64Array> {
  const { architecture: { unconditional, classes } } = model;
  if (unconditional) return (await scoreImages(model, images, progress)).logDensity;
  const { values } = largestOfRows(logits, classes);
  return values.map((highest, i) => {
    const row = logits.subarray(i * classes, (i + 1) * classes);
    return highest + Math.log(row.reduce((sum, logit) => sum + Math.exp(logit - highest), 0));
  });
}

/** Logits, log p̃ and its gradient for a batch `[N, H, W, C]`. */
async function scoreBatch(model: WideResNet, batch: Tensor) {
  const { context, architecture: { unconditional } } = model;
  const kept: Tensor[] = [];
  const { value, gradients } = context.differentiate({ inputs: [batch] }, () => {
    const logits = model.classify(batch, evaluation);
    const density = unconditional ? model.energyScore(batch, evaluation) : logSumExp(logits);
    kept.push(logits, density);
    return sum(density);
  });
  const [logits, density, gradient] = await context.read([...kept, gradients[0]!]);
  for (const tensor of [value, ...gradients, ...kept]) tensor.dispose();
  return { logits: logits!, density: density!, gradient: gradient! };
}
