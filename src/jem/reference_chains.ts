import type { Plan } from "../gpu/plan.ts";
import { ReferenceStatistics } from "../nn/reference_statistics.ts";
import { frozenTraining, type WideResNet } from "../nn/wide_resnet.ts";
import { Purpose } from "../random/philox.ts";
import type { NormMode } from "../tensor/operations/batch_norm.ts";
import { normal } from "../tensor/operations/random.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { conditionalScore, unconditionalScore } from "./score.ts";
import { sgldStep } from "./sgld.ts";

/** Step size α and noise σ of a step. */
export interface StepSizes {
  readonly stepSize: number;
  readonly noiseScale: number;
}

/** How {@link ReferenceChains} run. */
export interface ReferenceOptions extends StepSizes {
  /**
   * The class of each chain, `[N]`, to draw from p(x|y); without it chains draw from p(x). The chains own it from now
   * on.
   */
  readonly labels?: Tensor | undefined;
  /** Gives the words of the random stream for a step's noise. */
  readonly streamOf: (step: number) => Uint32Array;
  /** Whether to keep every step, so that more chains can run beside them later. */
  readonly keep: boolean;
}

/** Number of reference chains: fifty or more, the same number for each class. */
export function referenceCount(classes: number): number {
  return Math.ceil(leastChains / classes) * classes;
}
const leastChains = 50;

/** Whether a model's chains depend on their batch at all. */
export function hasBatchNorm({ runningStatistics }: WideResNet): boolean {
  return runningStatistics.entries.length > 0;
}

/**
 * Chains of all classes for other chains to run beside, in models with batch norm. In training, chains are normalised
 * by the statistics of their own batch, and the gradient passes through these statistics. Running statistics come from
 * other images, and they lack that part of the gradient, so chains that use them go elsewhere. The reference chains are
 * such a batch. Other chains take its statistics, and the sums of its gradients, at every layer and step. Each sees
 * what it would see in a very large batch, and none depends on another.
 */
export class ReferenceChains {
  readonly #images: Tensor;
  readonly #seen: ReferenceStatistics;
  readonly #stream: Tensor;
  readonly #kept: Tensor[][] = [];
  #plan: Plan;
  #sizes: StepSizes;
  #steps = 0;

  /** @param images where the chains start, `[N, H, W, C]`; the chains own them from now on */
  constructor(readonly model: WideResNet, images: Tensor, readonly options: ReferenceOptions) {
    const { context, runningStatistics: { values } } = model;
    this.#images = images;
    this.#seen = new ReferenceStatistics(context, values.size, images.shape[0]!);
    this.#stream = context.zeros([4], "uint32").disown();
    this.#plan = this.#capture(options);
    this.#sizes = options;
  }

  /** The mode in which other images see what these chains see at the step of the last call of {@link at}. */
  get mode(): NormMode {
    return { statistics: "reference", updateRunning: false, references: this.#seen };
  }

  /**
   * Moves the chains to the start of a step, and lets other images see what they see there.
   * @param step at most one after the last; an earlier step only if all steps are kept
   */
  async at(step: number): Promise<void> {
    if (step === this.#steps) return await this.#advance(step);
    const kept = this.#kept[step];
    if (!kept) throw new RangeError(`step ${step} of reference chains that have taken ${this.#steps}`);
    this.#seen.vectors.forEach((vector, i) => vector.copyFrom(kept[i]!));
  }

  /** Changes step size and noise from here on. */
  resize(sizes: StepSizes): void {
    const { stepSize, noiseScale } = this.#sizes;
    if (sizes.stepSize === stepSize && sizes.noiseScale === noiseScale) return;
    this.#plan.destroy();
    this.#plan = this.#capture(sizes);
    this.#sizes = sizes;
  }

  destroy(): void {
    this.#plan.destroy();
    this.options.labels?.dispose();
    for (const tensor of [this.#images, this.#stream, ...this.#kept.flat()]) tensor.dispose();
    this.#seen.dispose();
  }

  async #advance(step: number): Promise<void> {
    const { context } = this.model;
    this.#stream.write(this.options.streamOf(step));
    await context.gpu.runAtPace(this.#plan);
    this.#steps++;
    if (!this.options.keep) return;
    this.#kept.push(this.#seen.vectors.map((vector) => {
      const copy = context.empty([vector.size]).disown();
      copy.copyFrom(vector);
      return copy;
    }));
  }

  #capture({ stepSize, noiseScale }: StepSizes): Plan {
    const { context } = this.model;
    const images = this.#images;
    const mode: NormMode = { ...frozenTraining, references: this.#seen };
    const { labels } = this.options;
    const score = labels ? conditionalScore(this.model, labels, mode) : unconditionalScore(this.model, mode);
    const options = { steps: 1, stepSize, noiseScale, gradientClamp: Infinity };
    return context.capture(() => {
      const noise = noiseScale > 0 ? normal(this.#stream, Purpose.sampling, images.shape) : undefined;
      images.copyFrom(sgldStep(score, images, options, noise));
    });
  }
}
