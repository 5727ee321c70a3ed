import { sgldStep as sgldStepKernel } from "../kernels/chains/sgld_step.ts";
import { sum } from "../tensor/operations/reduce.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** log p̃ of each image, `[N, H, W, C]` → `[N]`. */
export type Score = (images: Tensor) => Tensor;

/** Settings of a chain. */
export interface SgldOptions {
  /** K, the number of steps. */
  readonly steps: number;
  /** α, the step size. */
  readonly stepSize: number;
  /** σ, the standard deviation of the noise; 0 for none, as published. */
  readonly noiseScale: number;
  /** Bound of each element of the gradient; Infinity for none, as in evaluation. */
  readonly gradientClamp: number;
  /** PYLD's inner steps; none by default. */
  readonly inner?: InnerSteps | undefined;
}

/**
 * Proximal-YOPO-SGLD (JEM++, section 4.1): N inner steps after each of the M outer ones, which reuse p, the gradient
 * with respect to the first layer's output, and differentiate only ⟨f₀(x), p⟩ again. The first layer f₀ of the networks
 * here is a convolution, so that gradient does not depend on x: it is ∇_x score itself, and an inner step costs no pass
 * through the network at all.
 */
export interface InnerSteps {
  /** N. */
  readonly steps: number;
  readonly stepSize: number;
  /** Bound of each element of the gradient. */
  readonly clamp: number;
}

/**
 * One step of stochastic gradient Langevin dynamics, equation 3 of the paper with JEM++'s proximity:
 * x ← clamp(x + α·clamp(∇_x Σ score(x), ±c) + σ·ε, −1, 1). With inner steps, an outer step of PYLD.
 * @param noise ε, of the images' shape; may be left out when σ is 0
 */
export function sgldStep(score: Score, images: Tensor, options: SgldOptions, noise?: Tensor): Tensor {
  const { context } = images;
  const { stepSize, gradientClamp, inner } = options;
  const innerSteps = inner?.steps ?? 0;
  const next = context.empty(images.shape);
  context.scope(() => {
    const { gradients } = context.differentiate({ inputs: [images] }, () => sum(score(images)));
    const gradient = gradients[0]!;
    const noiseScale = noise ? options.noiseScale : 0;
    const shape = {
      length: images.size,
      stepSize,
      gradientClamp,
      innerSteps,
      innerStepSize: inner?.stepSize ?? 0,
      innerClamp: inner?.clamp ?? Infinity,
      noiseScale,
    };
    context.launch(sgldStepKernel, shape, { image: images, gradient, noise: noise ?? gradient, next });
  });
  return next;
}

/** Chains of at most this many steps are recorded step by step; a longer chain records one step and replays it. */
export const recordedSteps = 32;

/**
 * ε of every step of a chain: a tensor with all of it, `[K, N, H, W, C]`, or a function that records drawing step k's.
 */
export type ChainNoise = Tensor | ((k: number, noise: Tensor) => void);

/**
 * A chain of K steps from `start`, which stays as it is.
 * @param score called once for each step, or once for all steps of a long chain
 * @param noise needed when σ is not 0
 */
export function sgldChain(score: Score, start: Tensor, options: SgldOptions, noise?: ChainNoise): Tensor {
  if (options.steps > recordedSteps || typeof noise === "function") {
    return replayedChain(score, start, options, noise);
  }
  let images = start;
  for (let k = 0; k < options.steps; k++) {
    using stepNoise = noise?.slice(k * start.size, start.shape);
    const next = sgldStep(score, images, options, stepNoise);
    if (images !== start) images.dispose();
    images = next;
  }
  return images;
}

/**
 * The same with images and noise in one place. All steps are then the same commands, and memory does not grow with K.
 */
function replayedChain(score: Score, start: Tensor, options: SgldOptions, noise?: ChainNoise): Tensor {
  const { context, shape } = start;
  const images = context.empty(shape);
  images.copyFrom(start);
  using stepNoise = noise && context.empty(shape);
  const drawNoise = (k: number) => {
    if (noise && stepNoise) fillNoise(noise, k, stepNoise);
  };
  drawNoise(0);
  const step = context.gpu.repeatable(() =>
    context.scope(() => images.copyFrom(sgldStep(score, images, options, stepNoise)))
  );
  for (let k = 1; k < options.steps; k++) {
    drawNoise(k);
    context.gpu.again(step);
  }
  return images;
}

function fillNoise(noise: ChainNoise, k: number, stepNoise: Tensor): void {
  if (typeof noise === "function") return noise(k, stepNoise);
  using all = noise.slice(k * stepNoise.size, stepNoise.shape);
  stepNoise.copyFrom(all);
}
