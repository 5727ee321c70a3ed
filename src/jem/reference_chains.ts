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
  /** Classes of the chains if each is to draw from p(x|y), `[N]`; they draw from p(x) without. Taken over. */
  readonly labels?: Tensor | undefined;
  /** The words of the random stream of each step's noise. */
  readonly streamOf: (step: number) => Uint32Array;
  /** Whether every step is kept, so that more chains can go the same way later. */
  readonly keep: boolean;
}

/** Chains of a reference: fifty or more, as many of each class. */
export function referenceCount(classes: number): number {
  return Math.ceil(leastChains / classes) * classes;
}
const leastChains = 50;

/** Whether chains of a model depend on a batch at all. */
export function hasBatchNorm({ runningStatistics }: WideResNet): boolean {
  return runningStatistics.entries.length > 0;
}

/**
 * Chains of all classes that others run beside, for models with batch norm. In training chains are normalised by the
 * statistics of their own batch, and the gradient passes through these. The running statistics are those of other images,
 * and without that part of the gradient chains go elsewhere. Here the reference is such a batch. Other chains take its
 * statistics at every layer and step, and the sums of its gradients: each sees what it would see as one of very many in the
 * batch, and none depends on another.
 */
export class ReferenceChains {
  readonly #images: Tensor;
  readonly #seen: ReferenceStatistics;
  readonly #stream: Tensor;
  readonly #kept: Tensor[][] = [];
  #plan: Plan;
  #sizes: StepSizes;
  #steps = 0;

  /** @param images where the chains start, `[N, H, W, C]`; they take them over */
  constructor(readonly model: WideResNet, images: Tensor, readonly options: ReferenceOptions) {
    const { context, runningStatistics: { values } } = model;
    this.#images = images;
    this.#seen = new ReferenceStatistics(context, values.size, images.shape[0]!);
    this.#stream = context.zeros([4], "uint32").disown();
    this.#plan = this.#capture(options);
    this.#sizes = options;
  }

  /** In this mode other images see what these chains see at the step that {@link at} was called for last. */
  get mode(): NormMode {
    return { statistics: "reference", updateRunning: false, references: this.#seen };
  }

  /**
   * Takes the chains to the start of a step, and lets other images see what they see there.
   * @param step not more than one after the last; an earlier one only if all are kept
   */
  async at(step: number): Promise<void> {
    if (step === this.#steps) return await this.#advance(step);
    const kept = this.#kept[step];
    if (!kept) throw new RangeError(`step ${step} of reference chains that have taken ${this.#steps}`);
    this.#seen.vectors.forEach((vector, i) => vector.copyFrom(kept[i]!));
  }

  /** Goes on with another step size and noise. */
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
