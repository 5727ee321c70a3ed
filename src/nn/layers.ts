import { batchNorm, type NormMode } from "../tensor/operations/batch_norm.ts";
import { conv2d } from "../tensor/operations/conv2d.ts";
import { leakyRelu } from "../tensor/operations/leaky_relu.ts";
import { linear } from "../tensor/operations/linear.ts";
import type { Parameter, ParameterSet } from "../tensor/parameters.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { RunningStatistics } from "./running_statistics.ts";

/** Slope of every LeakyReLU in the official networks. */
export const leakySlope = 0.2;

/** 2-D convolution with bias, named as PyTorch's `Conv2d`. */
export class Conv2d {
  readonly #weight: Parameter;
  readonly #bias: Parameter;

  constructor(
    parameters: ParameterSet,
    name: string,
    inChannels: number,
    outChannels: number,
    readonly kernel: number,
    readonly stride: number,
  ) {
    const fanIn = inChannels * kernel * kernel;
    this.#weight = parameters.declare(
      `${name}.weight`,
      [kernel, kernel, inChannels, outChannels],
      fanIn,
    );
    this.#bias = parameters.declare(`${name}.bias`, [outChannels], fanIn);
  }

  /** `[N, H, W, Cin]` → `[N, ⌈H/stride⌉, ⌈W/stride⌉, Cout]`. */
  forward(x: Tensor): Tensor {
    const { stride, kernel } = this;
    return conv2d(x, this.#weight.value, this.#bias.value, { stride, padding: (kernel - 1) / 2 });
  }
}

/** Fully connected layer, named as PyTorch's `Linear`. */
export class Linear {
  readonly #weight: Parameter;
  readonly #bias: Parameter;

  constructor(parameters: ParameterSet, name: string, inFeatures: number, outFeatures: number) {
    this.#weight = parameters.declare(`${name}.weight`, [inFeatures, outFeatures], inFeatures);
    this.#bias = parameters.declare(`${name}.bias`, [outFeatures], inFeatures);
  }

  /** `[N, in]` → `[N, out]`. */
  forward(x: Tensor): Tensor {
    return linear(x, this.#weight.value, this.#bias.value);
  }
}

/** A normalisation followed by LeakyReLU, as they always come in a pre-activation network. */
export interface NormActivation {
  /** Same shape as `x`. */
  forward(x: Tensor, mode: NormMode): Tensor;
}

/** Batch norm (eps 1e-5, momentum 0.9 in PyTorch's convention) → LeakyReLU, named as PyTorch's `BatchNorm2d`. */
export class BatchNormActivation implements NormActivation {
  readonly #scale: Parameter;
  readonly #shift: Parameter;
  readonly #running: () => Tensor;

  constructor(parameters: ParameterSet, statistics: RunningStatistics, name: string, channels: number) {
    this.#scale = parameters.declare(`${name}.weight`, [channels]);
    this.#shift = parameters.declare(`${name}.bias`, [channels]);
    this.#running = statistics.declare(name, channels);
  }

  forward(x: Tensor, mode: NormMode): Tensor {
    return batchNorm(x, {
      scale: this.#scale.value,
      shift: this.#shift.value,
      running: this.#running(),
      mode,
      epsilon: 1e-5,
      momentum: 0.9,
      slope: leakySlope,
    });
  }
}

/** No normalisation, only the LeakyReLU, as in JEM. */
export class PlainActivation implements NormActivation {
  forward(x: Tensor): Tensor {
    return leakyRelu(x, leakySlope);
  }
}
