import { divergence } from "../kernels/optimiser/divergence.ts";
import { featuresOfBatches } from "../nn/joined_batches.ts";
import { frozenTraining, training, type WideResNet } from "../nn/wide_resnet.ts";
import type { StepInputs } from "../optim/optimizer.ts";
import type { Pass, SharpnessAware } from "../optim/sharpness_aware.ts";
import type { Context } from "../tensor/context.ts";
import type { NormMode } from "../tensor/operations/batch_norm.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type BatchFeatures, type Losses, objective, type ObjectiveWeights } from "./objective.ts";

/** The images of one iteration. */
export interface Batch {
  /** x_p: real images, not augmented, for the likelihood. */
  readonly real: Tensor;
  /** x_l: augmented images, and their labels, uint32 `[N]`. */
  readonly labelled: Tensor;
  readonly labels: Tensor;
  /** Draws x_q, images from the model; called after the forward pass of x_p. */
  readonly draw: () => Tensor;
}

/** Settings of {@link TrainingStep}. */
export interface TrainingStepOptions extends ObjectiveWeights {
  /** Let `likelihoodWeight` and `l2` act in the second pass too; the official code leaves them out there. */
  readonly consistentPasses: boolean;
  /** |p_x·[…]| above which training counts as diverged. */
  readonly divergenceLimit: number;
}

/** As published. */
const published: TrainingStepOptions = {
  likelihoodWeight: 1,
  classificationWeight: 1,
  l2: 0,
  consistentPasses: false,
  divergenceLimit: 1e5,
};

/** GPU values that a step reads. */
export interface TrainingStepInputs extends StepInputs {
  /** uint32 `[4]`: seed (low, high), iteration, call. */
  readonly stream: Tensor;
}

/** What a step leaves in its report, in order; energies are those of the first pass. */
export const reportFields = [
  "loss",
  "crossEntropy",
  "accuracy",
  "realScore",
  "generatedScore",
  "secondLoss",
  "secondCrossEntropy",
  "secondRealScore",
  "secondGeneratedScore",
  "gradientNorm",
] as const;

/** One entry of a step's report. */
export type ReportField = typeof reportFields[number];

/** The values of a report that was read back, by their names. */
export function reportValues(report: Float32Array): Record<ReportField, number> {
  return Object.fromEntries(reportFields.map((field, i) => [field, report[i]!])) as Record<
    ReportField,
    number
  >;
}

/** One iteration of SADA-JEM, Algorithm 1 of the paper, on given batches. */
export class TrainingStep {
  /** float32, one element for each of {@link reportFields}. Fields that do not apply stay NaN. */
  readonly report: Tensor;
  readonly #model: WideResNet;
  readonly #optimizer: SharpnessAware;
  readonly #options: TrainingStepOptions;

  /** @param options as published where they say nothing */
  constructor(model: WideResNet, optimizer: SharpnessAware, options: Partial<TrainingStepOptions> = {}) {
    this.#model = model;
    this.#optimizer = optimizer;
    this.#options = { ...published, ...options };
    this.report = emptyReport(model.context);
  }

  /**
   * Records one iteration: first gradient, ascent, second gradient at the same images with the running statistics
   * frozen, return, descent. x_q is drawn once, in the first pass.
   */
  record(batch: Batch, inputs: TrainingStepInputs): void {
    this.#optimizer.step(inputs, this.gradientsOf(batch, inputs, this.report));
    this.reportNorm(this.report);
  }

  /**
   * Returns a function that adds ∇L of one batch to the gradients: in the first pass, and again in the second, at the
   * same images and with the running statistics frozen. x_q is drawn in the first pass.
   * @param report like {@link TrainingStep.report}
   */
  gradientsOf(
    { real, labelled, labels, draw }: Batch,
    inputs: Omit<TrainingStepInputs, "schedule">,
    report: Tensor,
  ): (pass: Pass) => void {
    const { context, parameters } = this.#model;
    const generative = this.#options.likelihoodWeight > 0;
    let generated: Tensor | undefined;
    return (pass) => {
      const mode = pass === "first" ? training : frozenTraining;
      context.differentiate({ parameters: parameters.trainable }, () => {
        // The order in which the running statistics see the images: x_p, those of the chains, x_q, x_l.
        const ofReal = generative ? this.#model.features(real, mode) : undefined;
        if (generative) generated ??= draw();
        const features = { real: ofReal, ...this.#featuresTogether({ generated, labelled }, mode) };
        const losses = objective(this.#model, features, labels, this.#weights(pass));
        reportLosses(report, losses, pass);
        this.#watch(losses, inputs);
        return losses.total;
      }).value.dispose();
    };
  }

  /** Puts SAM's gradient norm of the last ascent into a report. */
  reportNorm(report: Tensor): void {
    copyToReport(report, "gradientNorm", this.#optimizer.gradientNorm);
  }

  /** Features of x_q, if there are any, and then of x_l, if they are classified. */
  #featuresTogether(
    { generated, labelled }: { readonly generated: Tensor | undefined; readonly labelled: Tensor },
    mode: NormMode,
  ): BatchFeatures {
    const classified = this.#options.classificationWeight > 0 ? [labelled] : [];
    if (!generated) return { labelled: featuresOfBatches(this.#model, classified, mode)[0] };
    const [first, second] = featuresOfBatches(this.#model, [generated, ...classified], mode);
    return { generated: first, labelled: second };
  }

  #weights(pass: Pass): ObjectiveWeights {
    const { likelihoodWeight, l2, classificationWeight, consistentPasses } = this.#options;
    if (pass === "first" || consistentPasses || likelihoodWeight === 0) {
      return { likelihoodWeight, l2, classificationWeight };
    }
    return { likelihoodWeight: 1, l2: 0, classificationWeight };
  }

  /** Raises the divergence flag on the GPU. The optimiser and the replay buffer read it there. */
  #watch(
    { total, likelihood }: Losses,
    { stream, status }: Omit<TrainingStepInputs, "schedule">,
  ): void {
    const { likelihoodWeight, divergenceLimit } = this.#options;
    const limit = likelihood ? divergenceLimit / likelihoodWeight : divergenceLimit;
    this.#model.context.launch(divergence, { limit }, {
      likelihood: likelihood?.value ?? total,
      loss: total,
      stream,
      status,
    });
  }
}

/** An empty report: all NaN. */
export function emptyReport(context: Context): Tensor {
  return context.from(new Float32Array(reportFields.length).fill(NaN), [reportFields.length]).disown();
}

function reportLosses(report: Tensor, { total, classification, likelihood }: Losses, pass: Pass): void {
  const first = pass === "first";
  copyToReport(report, first ? "loss" : "secondLoss", total);
  if (classification) {
    copyToReport(report, first ? "crossEntropy" : "secondCrossEntropy", classification.crossEntropy);
    if (first) copyToReport(report, "accuracy", classification.accuracy);
  }
  if (likelihood) {
    copyToReport(report, first ? "realScore" : "secondRealScore", likelihood.real);
    copyToReport(report, first ? "generatedScore" : "secondGeneratedScore", likelihood.generated);
  }
}

function copyToReport(report: Tensor, field: ReportField, scalar: Tensor): void {
  const { buffer, offset } = report.range();
  report.context.gpu.copy(
    { ...scalar.range(), size: 4 },
    { buffer, offset: offset + 4 * reportFields.indexOf(field), size: 4 },
  );
}
