import type { Plan } from "../gpu/plan.ts";
import { evaluation, type WideResNet } from "../nn/wide_resnet.ts";
import { Purpose } from "../random/philox.ts";
import { add } from "../tensor/operations/arithmetic.ts";
import { logSumExp } from "../tensor/operations/log_sum_exp.ts";
import { blockAt, normal } from "../tensor/operations/random.ts";
import { selectColumn } from "../tensor/operations/select_column.ts";
import { elements, type Tensor } from "../tensor/tensor.ts";
import { type Score, sgldStep } from "./sgld.ts";

/** How evaluation-time chains run. */
export interface GenerationOptions {
  readonly steps: number;
  readonly stepSize: number;
  readonly noiseScale: number;
  /**
   * Chains of the same streams before these, a multiple of 4; 0 by default. The noise of these is what it would be if all ran
   * at once.
   */
  readonly first?: number | undefined;
  /** Ends the chains after the step at hand when it aborts. */
  readonly signal?: AbortSignal | undefined;
  /** Called with the recorded step before it runs first, and awaited: see `compileAhead`. */
  readonly prepare?: ((step: Plan) => Promise<void>) | undefined;
}

/** log p̃(x) with the running statistics: chains draw from p(x). */
export function unconditionalScore(model: WideResNet): Score {
  return (images) => model.energyScore(images, evaluation);
}

/** log p̃(x, y) = f(x)[y] with the running statistics, for the class given for each image: chains draw from p(x|y). */
export function conditionalScore(model: WideResNet, labels: Tensor): Score {
  return (images) => {
    using logits = model.classify(images, evaluation);
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

/**
 * Evaluation-time SGLD: eval-mode batch norm throughout, and no clamp of the gradient. `images` is overwritten by the
 * chain's end.
 * @param streamOf the words of the random stream of each step's noise; see `streamWords`
 * @param afterStep called after each step, for pictures of the chain; awaited
 */
export async function generate(
  score: Score,
  images: Tensor,
  { steps, stepSize, noiseScale, first = 0, signal, prepare }: GenerationOptions,
  streamOf: (step: number) => Uint32Array,
  afterStep?: (step: number) => Promise<void> | void,
): Promise<void> {
  const { context } = images;
  const options = { steps: 1, stepSize, noiseScale, gradientClamp: Infinity };
  const block = blockAt(first * elements(images.shape.slice(1)));
  const stream = context.zeros([4], "uint32");
  const plan = context.capture(() => {
    const noise = noiseScale > 0 ? normal(stream, Purpose.sampling, images.shape, block) : undefined;
    images.copyFrom(sgldStep(score, images, options, noise));
  });
  try {
    await prepare?.(plan);
    for (let step = 0; step < steps && !signal?.aborted; step++) {
      stream.write(streamOf(step));
      await context.gpu.runAtPace(plan);
      await afterStep?.(step);
    }
    await context.read([stream]);
  } finally {
    plan.destroy();
    stream.dispose();
  }
}
