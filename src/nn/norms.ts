/** The norms of the official code. In a pre-activation network a LeakyReLU always follows. */

import { actNorm, type ActNormParameters, initialiseActNorm } from "../tensor/operations/act_norm.ts";
import { batchNorm, type NormMode } from "../tensor/operations/batch_norm.ts";
import { instanceNorm, layerNorm } from "../tensor/operations/image_norms.ts";
import { leakyRelu } from "../tensor/operations/leaky_relu.ts";
import type { Parameter, ParameterSet } from "../tensor/parameters.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { RunningStatistics, RunningStatisticsEntry } from "./running_statistics.ts";

/** Names of the norms, as in the official code's option `--norm`. */
export const normNames = ["batch", "none", "instance", "layer", "act"] as const;

/** One of {@link normNames}. */
export type NormName = typeof normNames[number];

/** Slope of every LeakyReLU in the official networks. */
const leakySlope = 0.2;
/** PyTorch's default. */
const epsilon = 1e-5;
/** Momentum of batch norm in PyTorch's convention, as the official code sets it. */
const momentum = 0.9;

/** A normalisation followed by LeakyReLU. */
export interface NormActivation {
  /** Same shape as `x`, `[N, H, W, C]`. */
  forward(x: Tensor, mode: NormMode): Tensor;
}

/** Declares a norm with its parameters, named as PyTorch's modules name theirs. */
export function declareNorm(
  kind: NormName,
  parameters: ParameterSet,
  statistics: RunningStatistics,
  name: string,
  channels: number,
): NormActivation {
  switch (kind) {
    case "batch":
      return new BatchNormActivation(parameters, statistics, name, channels);
    case "instance":
    case "layer":
      return new ImageNormActivation(parameters, name, channels, kind === "layer" ? layerNorm : instanceNorm);
    case "act":
      return new ActNormActivation(parameters, name, channels);
    case "none":
      return { forward: (x) => leakyRelu(x, leakySlope) };
  }
}

/** `BatchNorm2d` with momentum 0.9. */
class BatchNormActivation implements NormActivation {
  readonly #scale: Parameter;
  readonly #shift: Parameter;
  readonly #running: () => Tensor;
  readonly #place: RunningStatisticsEntry;

  constructor(parameters: ParameterSet, statistics: RunningStatistics, name: string, channels: number) {
    this.#scale = parameters.declare(`${name}.weight`, [channels]);
    this.#shift = parameters.declare(`${name}.bias`, [channels]);
    this.#running = statistics.declare(name, channels);
    this.#place = statistics.entries.at(-1)!;
  }

  forward(x: Tensor, mode: NormMode): Tensor {
    const [scale, shift, running] = [this.#scale.value, this.#shift.value, this.#running()];
    const reference = mode.references?.of(this.#place.offset, this.#place.channels);
    return batchNorm(x, { scale, shift, running, mode, reference, epsilon, momentum, slope: leakySlope });
  }
}

/** `InstanceNorm2d(affine=True)` or `GroupNorm(1, …)`. */
class ImageNormActivation implements NormActivation {
  readonly #scale: Parameter;
  readonly #shift: Parameter;

  constructor(
    parameters: ParameterSet,
    name: string,
    channels: number,
    readonly norm: typeof instanceNorm,
  ) {
    this.#scale = parameters.declare(`${name}.weight`, [channels]);
    this.#shift = parameters.declare(`${name}.bias`, [channels]);
  }

  forward(x: Tensor): Tensor {
    const [scale, shift] = [this.#scale.value, this.#shift.value];
    return this.norm(x, { scale, shift, epsilon, slope: leakySlope });
  }
}

/** The official code's `ActNorm`. */
class ActNormActivation implements NormActivation {
  readonly #location: Parameter;
  readonly #scale: Parameter;

  constructor(parameters: ParameterSet, name: string, channels: number) {
    this.#location = parameters.declare(`${name}.loc`, [channels]);
    this.#scale = parameters.declare(`${name}.scale`, [channels]);
  }

  forward(x: Tensor, { initialise }: NormMode): Tensor {
    const parameters: ActNormParameters = { location: this.#location.value, scale: this.#scale.value };
    if (initialise) initialiseActNorm(x, parameters);
    return actNorm(x, parameters, leakySlope);
  }
}
