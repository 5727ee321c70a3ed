import { CheckpointError } from "../errors.ts";
import { type HostTensor, parameterFromPyTorch } from "../formats/pytorch/layout.ts";
import { float32Of, type NamedTensor } from "../formats/safetensors.ts";
import type { TensorDescription } from "../formats/tensor_file.ts";
import { inceptionConv, inceptionConvOutputSize } from "../kernels/conv2d/inception.ts";
import { pool2d, pool2dOutputSize } from "../kernels/pool/pool2d.ts";
import { resizeBilinear } from "../kernels/images/resize_bilinear.ts";
import type { Context } from "../tensor/context.ts";
import { globalAveragePool } from "../tensor/operations/global_average_pool.ts";
import { linear } from "../tensor/operations/linear.ts";
import { assertShapes, type Tensor } from "../tensor/tensor.ts";
import {
  blockOutChannels,
  type ConvUnit,
  type InceptionBlock,
  inceptionBlocks,
  inceptionClasses,
  inceptionFeatures,
  inceptionSize,
  inceptionUnits,
  type PoolUnit,
  unitName,
} from "./inception_layout.ts";

/** The constant that the published batch norms add to the variance. */
const epsilon = 1e-3;

/** A convolution's weight `[kh, kw, in, out]` and its folded batch norm `[2, out]`: scale, then shift. */
interface UnitParameters {
  readonly weight: Tensor;
  readonly affine: Tensor;
}

/** Where a layer writes its channels in a wider tensor. */
interface Target {
  readonly output: Tensor;
  readonly offset: number;
}

/** What FID and the Inception Score are computed from; the caller owns it. */
export interface InceptionOutput {
  /** Features of the last pool, `[N, 2048]`. */
  readonly pool3: Tensor;
  /** Before the softmax, `[N, 1008]`. */
  readonly logits: Tensor;
  /** The same without the bias: the Inception Score's original code multiplies by the last layer's weight alone. */
  readonly unbiasedLogits: Tensor;
}

/** How images in [0, 1] become the network's input of 299 × 299 pixels. Both ways are bilinear without antialiasing. */
export interface InceptionPreprocessing {
  /** See the kernel `resizeBilinear`. */
  readonly fromCorner: boolean;
  readonly valueScale: number;
  readonly valueShift: number;
}

/** pytorch-fid's way: PyTorch's grid, values from −1 to 1. */
export const pytorchPreprocessing: InceptionPreprocessing = {
  fromCorner: false,
  valueScale: 2,
  valueShift: -1,
};

/**
 * The way of the TensorFlow graph of 2015, which the official script runs: its older grid, and (v − 128)/128 for v up
 * to 255.
 */
export const tensorflowPreprocessing: InceptionPreprocessing = {
  fromCorner: true,
  valueScale: 255 / 128,
  valueShift: -1,
};

/**
 * Receives intermediate results `[N, H, W, C]`: `resized`, then pytorch-fid's `block0` to `block2`. They are freed
 * after the call, so start reading values within it.
 */
export type InceptionObserver = (name: string, value: Tensor) => void;

/**
 * Inception-v3 as the Fréchet inception distance uses it (pytorch-fid's `fid_inception_v3`), for inference only.
 * The largest intermediate takes 5.5 MB an image.
 */
export class InceptionV3 implements Disposable {
  readonly #units = new Map<string, UnitParameters>();
  readonly #weight: Tensor;
  readonly #bias: Tensor;
  readonly #noBias: Tensor;

  /**
   * @param tensors the state dict; tensors that the network does not have, such as those of `AuxLogits`, are ignored
   * @throws {CheckpointError} if a tensor is missing or has another shape; nothing is kept on the GPU then.
   */
  constructor(
    readonly context: Context,
    tensors: ReadonlyMap<string, NamedTensor>,
    readonly preprocessing = pytorchPreprocessing,
  ) {
    const units = [...inceptionUnits()];
    checkShapes(tensors, units);
    for (const { name } of units) {
      const weight = parameterFromPyTorch(values(tensors, `${name}.conv.weight`));
      const affine = foldedNorm(tensors, `${name}.bn`);
      this.#units.set(name, {
        weight: context.from(weight.data, weight.shape).disown(),
        affine: context.from(affine, [2, affine.length / 2]).disown(),
      });
    }
    const weight = parameterFromPyTorch(values(tensors, "fc.weight"));
    this.#weight = context.from(weight.data, weight.shape).disown();
    this.#bias = context.from(values(tensors, "fc.bias").data, [inceptionClasses]).disown();
    this.#noBias = context.zeros([inceptionClasses]).disown();
  }

  /**
   * Features and logits of images.
   * @param images `[N, H, W, 3]` in [0, 1]; of any size, since they are resized to 299 × 299
   * @throws {ShapeError} if they are not colour images.
   */
  features(images: Tensor, observe?: InceptionObserver): InceptionOutput {
    assertShapes(
      images.shape.length === 4 && images.shape[3] === 3,
      "Inception takes images [N, H, W, 3]",
      images,
    );
    const pool3 = this.context.scope(() => {
      let x = this.#resize(images);
      observe?.("resized", x);
      for (const block of inceptionBlocks) {
        using input = x;
        x = this.context.scope(() => this.#block(block, input));
        if (block.observed !== undefined) observe?.(block.observed, x);
      }
      return globalAveragePool(x);
    });
    return {
      pool3,
      logits: linear(pool3, this.#weight, this.#bias),
      unbiasedLogits: linear(pool3, this.#weight, this.#noBias),
    };
  }

  /** Frees the parameters. */
  [Symbol.dispose](): void {
    for (const { weight, affine } of this.#units.values()) {
      weight.release();
      affine.release();
    }
    this.#units.clear();
    this.#weight.release();
    this.#bias.release();
    this.#noBias.release();
  }

  /** Turns images in [0, 1] into the network's input. */
  #resize(images: Tensor): Tensor {
    const [batch, height, width, channels] = extents(images);
    const output = this.context.empty([batch, inceptionSize, inceptionSize, channels]);
    const shape = { batch, height, width, channels, size: inceptionSize, ...this.preprocessing };
    this.context.launch(resizeBilinear, shape, { input: images, output });
    return output;
  }

  /** Runs all branches. Each writes its channels of the concatenation. */
  #block(block: InceptionBlock, input: Tensor): Tensor {
    const outChannels = blockOutChannels(block, input.shape[3]!);
    let output: Tensor | undefined;
    let offset = 0;
    /** Channels from the offset on, in an output whose size the first branch determines. */
    const target = ([batch, height, width]: readonly number[], channels: number): Target => {
      output ??= this.context.empty([batch!, height!, width!, outChannels]);
      offset += channels;
      return { output, offset: offset - channels };
    };
    for (const { pool, chain, last } of block.branches) {
      let x = input;
      if (pool) x = this.#pool(pool, x, last.length === 0 ? target : undefined);
      for (const unit of chain) x = this.#convolve(unitName(block, unit), unit, x);
      for (const unit of last) this.#convolve(unitName(block, unit), unit, x, target);
    }
    return output!;
  }

  #convolve(name: string, unit: ConvUnit, input: Tensor, target = this.#own): Tensor {
    const [batch, height, width, inChannels] = extents(input);
    const { outChannels, kernel: [kernelHeight, kernelWidth], stride, padding: [paddingY, paddingX] } = unit;
    const kernel = { kernelHeight, kernelWidth, stride, paddingY, paddingX };
    const window = { batch, height, width, inChannels, outChannels, ...kernel, outOffset: 0, outStride: 0 };
    const size = inceptionConvOutputSize(window);
    const { output, offset: outOffset } = target([batch, size.height, size.width], outChannels);
    const shape = { ...window, outOffset, outStride: output.shape[3]! };
    this.context.launch(inceptionConv, shape, { input, ...this.#units.get(name)!, output });
    return output;
  }

  #pool(unit: PoolUnit, input: Tensor, target = this.#own): Tensor {
    const [batch, height, width, channels] = extents(input);
    const window = { batch, height, width, channels, kernel: 3, ...unit, outOffset: 0, outStride: 0 };
    const size = pool2dOutputSize(window);
    const { output, offset: outOffset } = target([batch, size.height, size.width], channels);
    this.context.launch(pool2d, { ...window, outOffset, outStride: output.shape[3]! }, { input, output });
    return output;
  }

  /** A layer's own output, without other channels. */
  readonly #own = (images: readonly number[], channels: number): Target => ({
    output: this.context.empty([...images, channels]),
    offset: 0,
  });
}

/** Batch size, height, width and channels of images. */
function extents({ shape }: Tensor): [number, number, number, number] {
  const [batch = 0, height = 0, width = 0, channels = 0] = shape;
  return [batch, height, width, channels];
}

/** Names of the tensors that the network needs, the first convolution's weight first. */
export function inceptionTensors(): string[] {
  return [...expectedShapes(inceptionUnits())].map(([name]) => name);
}

/** Names and shapes of the tensors that the network needs. */
function* expectedShapes(
  units: Iterable<{ name: string; unit: ConvUnit; inChannels: number }>,
): Generator<[name: string, shape: readonly number[]]> {
  for (const { name, unit: { outChannels, kernel }, inChannels } of units) {
    yield [`${name}.conv.weight`, [outChannels, inChannels, ...kernel]];
    for (const part of ["weight", "bias", "running_mean", "running_var"]) {
      yield [`${name}.bn.${part}`, [outChannels]];
    }
  }
  yield ["fc.weight", [inceptionClasses, inceptionFeatures]];
  yield ["fc.bias", [inceptionClasses]];
}

/**
 * Checks that tensors are those that the network needs, before they are read.
 * @throws {CheckpointError} if one is missing or has another shape.
 */
export function requireInceptionShapes(tensors: ReadonlyMap<string, TensorDescription>): void {
  checkShapes(tensors, inceptionUnits());
}

function checkShapes(
  tensors: ReadonlyMap<string, TensorDescription>,
  units: Iterable<{ name: string; unit: ConvUnit; inChannels: number }>,
): void {
  for (const [name, expected] of expectedShapes(units)) {
    const shape = tensors.get(name)?.shape;
    if (!shape) throw new CheckpointError(`Inception-v3 for FID: tensor ${name} is missing`);
    if (shape.length !== expected.length || shape.some((extent, axis) => extent !== expected[axis])) {
      throw new CheckpointError(`Inception-v3 for FID: tensor ${name} is [${shape}], not [${expected}]`);
    }
  }
}

/** A tensor as float32, in PyTorch's layout. */
function values(tensors: ReadonlyMap<string, NamedTensor>, name: string): HostTensor {
  const tensor = tensors.get(name)!;
  return { shape: tensor.shape, data: float32Of(tensor) };
}

/** The factor of a batch norm with running statistics, then its summand. */
function foldedNorm(tensors: ReadonlyMap<string, NamedTensor>, name: string): Float32Array {
  const [weight, bias, mean, variance] = ["weight", "bias", "running_mean", "running_var"].map((part) =>
    values(tensors, `${name}.${part}`).data
  ) as [Float32Array, Float32Array, Float32Array, Float32Array];
  const channels = weight.length;
  const affine = new Float32Array(2 * channels);
  for (let c = 0; c < channels; c++) {
    const scale = weight[c]! / Math.sqrt(variance[c]! + epsilon);
    affine[c] = scale;
    affine[channels + c] = bias[c]! - mean[c]! * scale;
  }
  return affine;
}
