import { conv2d } from "../tensor/operations/conv2d/operation.ts";
import { linear } from "../tensor/operations/linear.ts";
import type { Parameter, ParameterSet } from "../tensor/parameters.ts";
import type { ElementType } from "../tensor/element_type.ts";
import type { Tensor } from "../tensor/tensor.ts";

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

  /** `[N, H, W, Cin]` → `[N, ⌈H/stride⌉, ⌈W/stride⌉, Cout]`, stored in the input's type unless another is asked for. */
  forward(x: Tensor, type: ElementType = x.type): Tensor {
    const { stride, kernel } = this;
    return conv2d(x, this.#weight.value, this.#bias.value, { stride, padding: (kernel - 1) / 2, type });
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
