import { sgldStep as sgldStepKernel } from "../kernels/sgld_step.ts";
import { sum } from "../tensor/operations/reduce.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** log p̃ of each image, `[N, H, W, C]` → `[N]`. */
export type Score = (images: Tensor) => Tensor;

/** Settings of a chain. */
export interface SgldOptions {
  /** K. */
  readonly steps: number;
  /** α. */
  readonly stepSize: number;
  /** σ of the noise; 0 for none, as published. */
  readonly noiseScale: number;
  /** Bound of each element of the gradient; Infinity for none, as in evaluation. */
  readonly gradientClamp: number;
}

/**
 * One step of stochastic gradient Langevin dynamics, equation 3 of the paper with JEM++'s proximity:
 * x ← clamp(x + α·clamp(∇_x Σ score(x), ±c) + σ·ε, −1, 1).
 * @param noise ε, of the images' shape; may be left out when σ is 0
 */
export function sgldStep(score: Score, images: Tensor, options: SgldOptions, noise?: Tensor): Tensor {
  const { context } = images;
  const { stepSize, gradientClamp } = options;
  const next = context.empty(images.shape);
  context.scope(() => {
    const { gradients } = context.differentiate({ inputs: [images] }, () => sum(score(images)));
    const gradient = gradients[0]!;
    const noiseScale = noise ? options.noiseScale : 0;
    context.launch(sgldStepKernel, { length: images.size, stepSize, gradientClamp, noiseScale }, {
      image: images,
      gradient,
      noise: noise ?? gradient,
      next,
    });
  });
  return next;
}

/**
 * A chain of K steps from `start`, which is left as it is.
 * @param noise ε of every step, `[K, N, H, W, C]`; needed when σ is not 0
 */
export function sgldChain(score: Score, start: Tensor, options: SgldOptions, noise?: Tensor): Tensor {
  let images = start;
  for (let k = 0; k < options.steps; k++) {
    using stepNoise = noise?.slice(k * start.size, start.shape);
    const next = sgldStep(score, images, options, stepNoise);
    if (images !== start) images.dispose();
    images = next;
  }
  return images;
}
