import { ConfigurationError } from "../errors.ts";
import { Purpose, RandomStream } from "../random/philox.ts";
import type { Context } from "../tensor/context.ts";
import { add } from "../tensor/operations/arithmetic.ts";
import type { NormMode } from "../tensor/operations/batch_norm.ts";
import { globalAveragePool } from "../tensor/operations/global_average_pool.ts";
import { logSumExp } from "../tensor/operations/log_sum_exp.ts";
import { ParameterSet } from "../tensor/parameters.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { BatchNormActivation, Conv2d, Linear, type NormActivation, PlainActivation } from "./layers.ts";
import { RunningStatistics } from "./running_statistics.ts";

/** What determines a {@link WideResNet}. */
export interface Architecture {
  /** 6n + 4, with n blocks in each group. */
  readonly depth: number;
  /** Widening factor: the groups have 16, 32 and 64 times as many channels. */
  readonly width: number;
  readonly classes: number;
  /** Channels of the images. */
  readonly channels: number;
  /** Side of the square images, 8 to 32. */
  readonly imageSize: number;
  readonly norm: "batch" | "none";
  /** Score images by a separate linear head instead of the logsumexp of the logits. */
  readonly unconditional: boolean;
}

/** Batch statistics normalise and move the running ones. */
export const training: NormMode = { statistics: "batch", updateRunning: true };
/** Batch statistics normalise; the running ones stay. */
export const frozenTraining: NormMode = { statistics: "batch", updateRunning: false };
/** The running statistics normalise. */
export const evaluation: NormMode = { statistics: "running", updateRunning: false };

/** Channels of the first convolution, and of the groups of a network of width 1. */
const stemChannels = 16;
const groupChannels = [16, 32, 64] as const;

/**
 * Pre-activation block: norm → LeakyReLU → 3×3 (stride 1) → norm → LeakyReLU → 3×3 (the block's stride), plus a
 * shortcut: the identity, or a 1×1 convolution of the raw input where the shape changes. The official code strides in
 * the second convolution, unlike Zagoruyko and Komodakis.
 */
class Block {
  readonly #norm1: NormActivation;
  readonly #conv1: Conv2d;
  readonly #norm2: NormActivation;
  readonly #conv2: Conv2d;
  readonly #shortcut: Conv2d | undefined;

  constructor(
    parameters: ParameterSet,
    norm: (name: string, channels: number) => NormActivation,
    name: string,
    inChannels: number,
    outChannels: number,
    stride: number,
  ) {
    this.#norm1 = norm(`${name}.bn1`, inChannels);
    this.#conv1 = new Conv2d(parameters, `${name}.conv1`, inChannels, outChannels, 3, 1);
    this.#norm2 = norm(`${name}.bn2`, outChannels);
    this.#conv2 = new Conv2d(parameters, `${name}.conv2`, outChannels, outChannels, 3, stride);
    if (stride !== 1 || inChannels !== outChannels) {
      this.#shortcut = new Conv2d(parameters, `${name}.shortcut.0`, inChannels, outChannels, 1, stride);
    }
  }

  forward(x: Tensor, mode: NormMode): Tensor {
    using activated1 = this.#norm1.forward(x, mode);
    using hidden1 = this.#conv1.forward(activated1);
    using activated2 = this.#norm2.forward(hidden1, mode);
    using residual = this.#conv2.forward(activated2);
    if (!this.#shortcut) return add(residual, x);
    using shortcut = this.#shortcut.forward(x);
    return add(residual, shortcut);
  }
}

/**
 * The Wide ResNet of the official JEM and SADA-JEM code (Zagoruyko and Komodakis, 2016, with the differences that
 * {@link Block} states), read as an energy model (Grathwohl et al., 2020): p(x) ∝ exp(logsumexp_y f(x)[y]) and
 * p(y|x) = softmax(f(x)). Images are `[N, H, W, C]` in [−1, 1].
 */
export class WideResNet {
  readonly parameters: ParameterSet = new ParameterSet();
  readonly runningStatistics: RunningStatistics = new RunningStatistics();
  readonly #stem: Conv2d;
  readonly #groups: readonly (readonly Block[])[];
  readonly #finalNorm: NormActivation;
  readonly #classHead: Linear;
  readonly #energyHead: Linear;

  /**
   * Builds the network with PyTorch's default initialisation: convolutions and linear layers uniform in ±1/√fan_in,
   * weights and biases; norms scale 1, shift 0.
   * @param seed the parameters are a function of it alone.
   * @throws {ConfigurationError} if the architecture is impossible.
   */
  constructor(readonly context: Context, readonly architecture: Architecture, seed: number) {
    checkArchitecture(architecture);
    const { depth, width, channels, classes, unconditional } = architecture;
    const parameters = this.parameters;
    const norm = (name: string, channels: number): NormActivation =>
      architecture.norm === "batch"
        ? new BatchNormActivation(parameters, this.runningStatistics, name, channels)
        : new PlainActivation();

    this.#stem = new Conv2d(parameters, "f.conv1", channels, stemChannels, 3, 1);
    let inChannels: number = stemChannels;
    this.#groups = groupChannels.map((baseChannels, group) => {
      const outChannels = baseChannels * width;
      return Array.from({ length: (depth - 4) / 6 }, (_, i) => {
        const stride = group > 0 && i === 0 ? 2 : 1;
        const name = `f.layer${group + 1}.${i}`;
        const block = new Block(parameters, norm, name, inChannels, outChannels, stride);
        inChannels = outChannels;
        return block;
      });
    });
    this.#finalNorm = norm("f.bn1", inChannels);
    this.#classHead = new Linear(parameters, "class_output", inChannels, classes);
    if (!unconditional) parameters.freezeRest();
    this.#energyHead = new Linear(parameters, "energy_output", inChannels, 1);

    parameters.allocate(context);
    this.runningStatistics.allocate(context);
    this.#initialise(seed);
  }

  /**
   * Pooled features of the last group, `[N, 64·width]`.
   * @param observe called with the output of each stage: `conv1`, `layer1`, …
   */
  features(images: Tensor, mode: NormMode, observe?: (stage: string, output: Tensor) => void): Tensor {
    if (mode.statistics === "batch") this.runningStatistics.batchesTracked++;
    let x = this.#stem.forward(images);
    observe?.("conv1", x);
    this.#groups.forEach((blocks, group) => {
      for (const block of blocks) {
        using previous = x;
        x = block.forward(previous, mode);
      }
      observe?.(`layer${group + 1}`, x);
    });
    using last = x;
    using activated = this.#finalNorm.forward(last, mode);
    return globalAveragePool(activated);
  }

  /** Logits f(x), `[N, classes]`. */
  classify(images: Tensor, mode: NormMode): Tensor {
    using features = this.features(images, mode);
    return this.#classHead.forward(features);
  }

  /** log p̃(x) = −E(x), `[N]`: logsumexp_y f(x)[y], or the energy head's output in an unconditional model. */
  energyScore(images: Tensor, mode: NormMode): Tensor {
    if (!this.architecture.unconditional) {
      using logits = this.classify(images, mode);
      return logSumExp(logits);
    }
    using features = this.features(images, mode);
    return this.#energyHead.forward(features);
  }

  #initialise(seed: number): void {
    const values = new Float32Array(this.parameters.values.size);
    this.parameters.all.forEach(({ name, offset, shape, fanIn }, i) => {
      const size = shape.reduce((product, extent) => product * extent, 1);
      if (fanIn === 0) {
        if (name.endsWith(".weight")) values.fill(1, offset, offset + size);
        return;
      }
      const stream = new RandomStream(seed, Purpose.initialisation, i);
      const bound = 1 / Math.sqrt(fanIn);
      for (let j = 0; j < size; j++) values[offset + j] = (2 * stream.uniform(j) - 1) * bound;
    });
    this.parameters.values.write(values);
  }
}

function checkArchitecture({ depth, width, classes, imageSize, channels }: Architecture): void {
  const refuse = (what: string) => {
    throw new ConfigurationError(what);
  };
  if (depth < 10 || (depth - 4) % 6 !== 0) refuse(`depth must be 6n + 4 (10, 16, 22, 28, …), not ${depth}`);
  if (!Number.isInteger(width) || width < 1) refuse(`width must be a positive integer, not ${width}`);
  if (!Number.isInteger(classes) || classes < 2) refuse(`classes must be at least 2, not ${classes}`);
  if (channels !== 1 && channels !== 3 && (channels < 4 || channels % 4 !== 0)) {
    refuse(`channels must be 1, 3 or a multiple of 4, not ${channels}`);
  }
  if (imageSize < 8 || imageSize > 32) refuse(`images must be 8 to 32 pixels wide, not ${imageSize}`);
}
