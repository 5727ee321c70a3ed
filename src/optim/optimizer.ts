import type { Context } from "../tensor/context.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { ParameterSet } from "../tensor/parameters.ts";
import { adamStep } from "../kernels/optimiser/adam_step.ts";
import { sgdStep } from "../kernels/optimiser/sgd_step.ts";
import { forEachChunk } from "./chunks.ts";

/** GPU values that a step reads, so that a recorded step can run again with another learning rate. */
export interface StepInputs {
  /** float32 `[4]`: learning rate, 1 − β1^t, 1 − β2^t, unused. */
  readonly schedule: Tensor;
  /** uint32 `[4]`: when the first word is not 0 (training diverged), the step changes nothing. */
  readonly status: Tensor;
}

/** Takes descent steps along the gradients of a parameter set. */
export interface Optimizer {
  /** Flat vectors that a checkpoint must keep, by PyTorch's name for them. */
  readonly state: Readonly<Record<string, Tensor>>;
  /** Records one step. */
  step(inputs: StepInputs): void;
}

/** Settings of {@link Sgd}. */
export interface SgdOptions {
  readonly momentum: number;
  readonly weightDecay: number;
}

/** SGD with momentum in PyTorch's form: v ← momentum·v + g + weightDecay·θ; θ ← θ − lr·v. */
export class Sgd implements Optimizer {
  readonly state: { readonly momentum: Tensor };
  readonly #parameters: ParameterSet;
  readonly #options: SgdOptions;

  constructor(context: Context, parameters: ParameterSet, options: SgdOptions) {
    this.#parameters = parameters;
    this.#options = options;
    this.state = { momentum: context.zeros([parameters.trainableLength]).disown() };
  }

  step({ schedule, status }: StepInputs): void {
    const { values, gradients, trainableLength } = this.#parameters;
    forEachChunk(
      { parameters: values, gradient: gradients, velocity: this.state.momentum },
      trainableLength,
      (
        chunk,
        length,
      ) => values.context.launch(sgdStep, { length, ...this.#options }, { ...chunk, schedule, status }),
    );
  }
}

/** Settings of {@link Adam}. */
export interface AdamOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
}

/** Adam (Kingma and Ba, 2015) as in `torch.optim.Adam`: the weight decay is added to the gradient. */
export class Adam implements Optimizer {
  readonly state: { readonly exp_avg: Tensor; readonly exp_avg_sq: Tensor };
  readonly #parameters: ParameterSet;
  readonly #options: AdamOptions;

  constructor(context: Context, parameters: ParameterSet, options: AdamOptions) {
    this.#parameters = parameters;
    this.#options = options;
    this.state = {
      exp_avg: context.zeros([parameters.trainableLength]).disown(),
      exp_avg_sq: context.zeros([parameters.trainableLength]).disown(),
    };
  }

  step({ schedule, status }: StepInputs): void {
    const { values, gradients, trainableLength } = this.#parameters;
    const vectors = {
      parameters: values,
      gradient: gradients,
      firstMoment: this.state.exp_avg,
      secondMoment: this.state.exp_avg_sq,
    };
    forEachChunk(
      vectors,
      trainableLength,
      (chunk, length) =>
        values.context.launch(adamStep, { length, ...this.#options }, { ...chunk, schedule, status }),
    );
  }
}
