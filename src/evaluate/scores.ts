import { type BatchOptions, inBatches } from "../distributed/batches.ts";
import { evaluation, type WideResNet } from "../nn/wide_resnet.ts";
import { logSumExp } from "../tensor/operations/log_sum_exp.ts";
import { sum } from "../tensor/operations/reduce.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { batchSize, type Features, type ImageSource } from "./features.ts";
import { largestOfRows, softmaxRows } from "./probabilities.ts";

/**
 * The scores by which the paper tells the model's own kind of images from others. A higher score means more likely its
 * own.
 */
export interface ImageScores {
  /** log p̃(x). */
  readonly logDensity: Float64Array;
  /** max_y p(y|x). */
  readonly confidence: Float64Array;
  /** −‖∇_x log p̃(x)‖₂ (JEM, section 5.3, approximate mass). */
  readonly gradientNorm: Float64Array;
}

/** The scores' names, and their labels in tables. */
export const scoreNames: Readonly<Record<keyof ImageScores, string>> = {
  logDensity: "log p̃(x)",
  confidence: "max p(y|x)",
  gradientNorm: "−‖∇ log p̃(x)‖",
};

/**
 * Scores every image of a set, at least one, with the running statistics.
 * @param options its progress is called with the number of images done
 */
export async function scoreImages(
  model: WideResNet,
  images: ImageSource,
  options?: BatchOptions,
): Promise<ImageScores> {
  const { architecture: { classes } } = model;
  const [logDensity, confidence, gradientNorm] = await inBatches(
    images.count,
    batchSize,
    async (start, count) => {
      using batch = images.range(start, count);
      const { logits, density, gradient } = await scoreBatch(model, batch);
      const pixels = gradient.length / count;
      const norms = Float64Array.from({ length: count }, (_, i) => {
        const row = gradient.subarray(i * pixels, (i + 1) * pixels);
        return -Math.sqrt(row.reduce((total, g) => total + g * g, 0));
      });
      const { values } = largestOfRows(softmaxRows(logits, classes), classes);
      return [Float64Array.from(density), Float64Array.from(values), norms];
    },
    options,
  );
  return { logDensity, confidence, gradientNorm };
}

/**
 * log p̃(x) of images whose logits are known. Without an unconditional head the logits are enough.
 * @param features features of every image, by the same model
 * @param options its progress is called with the number of images done
 */
export async function logDensities(
  model: WideResNet,
  images: ImageSource,
  { logits }: Features,
  options?: BatchOptions,
): Promise<Float64Array> {
  const { architecture: { unconditional, classes } } = model;
  if (unconditional) return (await scoreImages(model, images, options)).logDensity;
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
