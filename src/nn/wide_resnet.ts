import { ConfigurationError } from "../errors.ts";
import { Purpose, RandomStream } from "../random/philox.ts";
import type { Context } from "../tensor/context.ts";
import { add } from "../tensor/operations/arithmetic.ts";
import type { NormMode } from "../tensor/operations/batch_norm.ts";
import { dropout } from "../tensor/operations/dropout.ts";
import { globalAveragePool } from "../tensor/operations/global_average_pool.ts";
import { logSumExp } from "../tensor/operations/log_sum_exp.ts";
import { ParameterSet } from "../tensor/parameters.ts";
import type { ElementType } from "../tensor/element_type.ts";
import { requireType, type Tensor } from "../tensor/tensor.ts";
import { Conv2d, Linear } from "./layers.ts";
import { declareNorm, type NormActivation, type NormName } from "./norms.ts";
import { RunningStatistics } from "./running_statistics.ts";

/** What determines a {@link WideResNet}. */
export interface Architecture {
  /** 6n + 4, with n blocks in each group. */
  readonly depth: number;
  /** Widening factor: the groups have 16, 32, 64 (and 128) times as many channels. */
  readonly width: number;
  readonly classes: number;
  /** Channels of the images. */
  readonly channels: number;
  /** Side of the square images, 8 to 64; above 32 the network has a fourth group. */
  readonly imageSize: number;
  readonly norm: NormName;
  /** Share of the values that each block drops between its convolutions in training, below 1. */
  readonly dropout: number;
  /** Score images by a separate linear head instead of the logsumexp of the logits. */
  readonly unconditional: boolean;
}

/**
 * An {@link Architecture} in which everything left out is as in the published networks: batch norm, no dropout, and
 * scores from the logits.
 */
export type ArchitectureOptions =
  & Pick<Architecture, "depth" | "width" | "classes" | "channels" | "imageSize">
  & Partial<Architecture>;

/** Types in which the values between the layers can be stored. */
export const activationTypes = ["float32", "float16"] as const satisfies ElementType[];

/**
 * One of {@link activationTypes}. In float16 these values take half the memory and bandwidth. Images, parameters,
 * statistics, gradients and all arithmetic stay float32. A value above 65,504 becomes infinite, and training then ends
 * as diverged.
 */
export type ActivationType = typeof activationTypes[number];

/** Batch statistics normalise, and update the running statistics. */
export const training: NormMode = { statistics: "batch", updateRunning: true };
/** Batch statistics normalise; the running statistics stay as they are. */
export const frozenTraining: NormMode = { statistics: "batch", updateRunning: false };
/** The running statistics normalise. */
export const evaluation: NormMode = { statistics: "running", updateRunning: false };

/** Like {@link frozenTraining}, but act norm first sets its parameters from the batch. */
const initialising: NormMode = { ...frozenTraining, initialise: true };

/** Channels of the first convolution. */
export const stemChannels = 16;
/** Channels of the groups of a network of width 1. */
const groupChannels = [16, 32, 64, 128] as const;
/** Side of the largest images for which three groups are enough. */
const threeGroupsSize = 32;
const largestSize = 64;

/** Number of groups of a network for images of this size. */
export function groupCount(imageSize: number): number {
  return imageSize > threeGroupsSize ? 4 : 3;
}

/**
 * Elements of one image's largest activation. It lies in the second group's first block, which has the group's channels
 * before its stride.
 */
export function largestActivation({ imageSize, width, channels }: Architecture): number {
  return imageSize ** 2 * Math.max(groupChannels[1] * width, channels);
}

/** What dropout needs: its rate, and the random stream that advances with every use. */
interface Dropout {
  readonly rate: number;
  readonly stream: Tensor;
}

/**
 * Pre-activation block: norm → LeakyReLU → 3×3 (stride 1) → dropout → norm → LeakyReLU → 3×3 (the block's stride), plus
 * a shortcut: the identity, or a 1×1 convolution of the raw input where the shape changes. The official code strides in
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

  /** @param dropped how values are dropped; none are if it is undefined */
  forward(x: Tensor, mode: NormMode, dropped: Dropout | undefined): Tensor {
    using activated1 = this.#norm1.forward(x, mode);
    using hidden1 = this.#conv1.forward(activated1);
    using kept = dropped && dropout(hidden1, dropped.rate, dropped.stream);
    using activated2 = this.#norm2.forward(kept ?? hidden1, mode);
    using residual = this.#conv2.forward(activated2);
    if (!this.#shortcut) return add(residual, x);
    using shortcut = this.#shortcut.forward(x);
    return add(residual, shortcut);
  }
}

/** A network's layers. */
interface Layers {
  readonly stem: Conv2d;
  readonly groups: readonly (readonly Block[])[];
  readonly finalNorm: NormActivation;
  readonly classHead: Linear;
  readonly energyHead: Linear;
}

/**
 * Declares the parameters and running statistics of an architecture. This takes no memory for them yet.
 * @throws {ConfigurationError} if the architecture is impossible.
 */
export function declareLayers(
  architecture: Architecture,
  parameters: ParameterSet,
  runningStatistics: RunningStatistics,
): Layers {
  checkArchitecture(architecture);
  const { depth, width, channels, classes, unconditional } = architecture;
  const norm = (name: string, channels: number): NormActivation =>
    declareNorm(architecture.norm, parameters, runningStatistics, name, channels);
  const stem = new Conv2d(parameters, "f.conv1", channels, stemChannels, 3, 1);
  let inChannels: number = stemChannels;
  const groups = groupChannels.slice(0, groupCount(architecture.imageSize)).map((baseChannels, group) => {
    const outChannels = baseChannels * width;
    return Array.from({ length: (depth - 4) / 6 }, (_, i) => {
      const stride = group > 0 && i === 0 ? 2 : 1;
      const name = `f.layer${group + 1}.${i}`;
      const block = new Block(parameters, norm, name, inChannels, outChannels, stride);
      inChannels = outChannels;
      return block;
    });
  });
  const finalNorm = norm("f.bn1", inChannels);
  const classHead = new Linear(parameters, "class_output", inChannels, classes);
  if (!unconditional) parameters.freezeRest();
  return {
    stem,
    groups,
    finalNorm,
    classHead,
    energyHead: new Linear(parameters, "energy_output", inChannels, 1),
  };
}

/**
 * The Wide ResNet of the official JEM and SADA-JEM code (Zagoruyko and Komodakis, 2016, with the differences that
 * {@link Block} states), read as an energy model (Grathwohl et al., 2020): p(x) ∝ exp(logsumexp_y f(x)[y]) and
 * p(y|x) = softmax(f(x)). Images are `[N, H, W, C]` in [−1, 1].
 */
export class WideResNet {
  readonly parameters: ParameterSet = new ParameterSet();
  readonly runningStatistics: RunningStatistics = new RunningStatistics();
  readonly architecture: Architecture;
  /**
   * The random stream of dropout, uint32 `[4]`: seed (low, high), step, call. Using the model advances the call; the
   * training code writes the rest. Undefined without dropout.
   */
  readonly dropoutStream: Tensor | undefined;
  /** Whether act norm has been set from data; always true for the other norms. */
  normsInitialised: boolean;
  readonly #layers: Layers;

  /**
   * Builds the network with PyTorch's default initialisation: convolutions and linear layers uniform in ±1/√fan_in,
   * weights and biases; norms scale 1, shift 0.
   * @param seed alone determines the parameters.
   * @throws {ConfigurationError} if the architecture is impossible.
   * @throws {GpuError} if activations are to be float16 and the adapter cannot do that.
   */
  constructor(
    readonly context: Context,
    options: ArchitectureOptions,
    seed: number,
    readonly activations: ActivationType = "float32",
  ) {
    const { parameters, runningStatistics } = this;
    const architecture = { norm: "batch", dropout: 0, unconditional: false, ...options } as const;
    this.architecture = architecture;
    this.#layers = declareLayers(architecture, parameters, runningStatistics);
    requireType(context.gpu, activations);
    parameters.allocate(context);
    runningStatistics.allocate(context);
    this.dropoutStream = architecture.dropout > 0 ? context.zeros([4], "uint32").disown() : undefined;
    this.normsInitialised = architecture.norm !== "act";
    if (!context.gpu.isOnPaper) this.#initialise(seed);
  }

  /**
   * Sets act norm's parameters from a batch, unless that has been done; the official code does so in its first pass.
   */
  initialiseNorms(images: Tensor): void {
    if (this.normsInitialised) return;
    this.features(images, initialising).dispose();
    this.normsInitialised = true;
  }

  /**
   * Pooled features of the last group, `[N, 64·width]`, or `[N, 128·width]` with four groups.
   * @param observe called with the output of each stage: `conv1`, `layer1`, …
   */
  features(images: Tensor, mode: NormMode, observe?: (stage: string, output: Tensor) => void): Tensor {
    const isTraining = mode.statistics === "batch" && !mode.references;
    if (isTraining) this.runningStatistics.batchesTracked += mode.segments ?? 1;
    const dropped = this.dropoutStream && isTraining
      ? { rate: this.architecture.dropout, stream: this.dropoutStream }
      : undefined;
    let x = this.#layers.stem.forward(images, this.activations);
    observe?.("conv1", x);
    this.#layers.groups.forEach((blocks, group) => {
      for (const block of blocks) {
        using previous = x;
        x = block.forward(previous, mode, dropped);
      }
      observe?.(`layer${group + 1}`, x);
    });
    using last = x;
    using activated = this.#layers.finalNorm.forward(last, mode);
    return globalAveragePool(activated);
  }

  /** Logits f(x), `[N, classes]`. */
  classify(images: Tensor, mode: NormMode): Tensor {
    using features = this.features(images, mode);
    return this.classifyFeatures(features);
  }

  /** Logits from pooled features. */
  classifyFeatures(features: Tensor): Tensor {
    return this.#layers.classHead.forward(features);
  }

  /** log p̃(x) = −E(x), `[N]`: logsumexp_y f(x)[y], or the energy head's output in an unconditional model. */
  energyScore(images: Tensor, mode: NormMode): Tensor {
    using features = this.features(images, mode);
    return this.scoreFeatures(features);
  }

  /** log p̃ from pooled features. */
  scoreFeatures(features: Tensor): Tensor {
    if (this.architecture.unconditional) return this.#layers.energyHead.forward(features);
    using logits = this.classifyFeatures(features);
    return logSumExp(logits);
  }

  #initialise(seed: number): void {
    const values = new Float32Array(this.parameters.values.size);
    this.parameters.all.forEach(({ name, offset, shape, fanIn }, i) => {
      const size = shape.reduce((product, extent) => product * extent, 1);
      if (fanIn === 0) {
        if (/\.(weight|scale)$/.test(name)) values.fill(1, offset, offset + size);
        return;
      }
      const stream = new RandomStream(seed, Purpose.initialisation, i);
      const bound = 1 / Math.sqrt(fanIn);
      for (let j = 0; j < size; j++) values[offset + j] = (2 * stream.uniform(j) - 1) * bound;
    });
    this.parameters.values.write(values);
  }
}

function checkArchitecture(architecture: Architecture): void {
  const { depth, width, classes, imageSize, channels, dropout } = architecture;
  const refuse = (what: string) => {
    throw new ConfigurationError(what);
  };
  const whole = (name: string, value: number, least: number) => {
    if (!Number.isInteger(value) || value < least) {
      refuse(`${name} must be a whole number of at least ${least}, not ${value}`);
    }
  };
  if (depth < 10 || (depth - 4) % 6 !== 0) refuse(`depth must be 6n + 4 (10, 16, 22, 28, …), not ${depth}`);
  whole("width", width, 1);
  whole("classes", classes, 1);
  whole("channels", channels, 1);
  if (!(imageSize >= 8 && imageSize <= largestSize)) {
    refuse(`images must be 8 to ${largestSize} pixels wide, not ${imageSize}`);
  }
  if (!(dropout >= 0 && dropout < 1)) refuse(`dropout must be at least 0 and below 1, not ${dropout}`);
}
