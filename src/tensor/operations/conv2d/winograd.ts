import { GpuError } from "../../../errors.ts";
import { type Conv2dShape, outputSize } from "../../../kernels/conv2d/shape.ts";
import { winogradInput } from "../../../kernels/winograd/input.ts";
import { winogradOutput } from "../../../kernels/winograd/output.ts";
import { winogradOutputGradient } from "../../../kernels/winograd/output_gradient.ts";
import { winogradProduct } from "../../../kernels/winograd/product.ts";
import { type WinogradOutputs, winogradTiles, winogradValues } from "../../../kernels/winograd/shape.ts";
import { winogradWeight } from "../../../kernels/winograd/weight.ts";
import { winogradWeightGradient } from "../../../kernels/winograd/weight_gradient.ts";
import {
  winogradWeightParts,
  winogradWeightProduct,
  type WinogradWeightProductShape,
} from "../../../kernels/winograd/weight_product.ts";
import type { Context } from "../../context.ts";
import type { Bindable } from "../../launch.ts";
import { elementBytes } from "../../element_type.ts";
import { elements, type Tensor } from "../../tensor.ts";
import type { AccumulatedConv2dShape } from "./algorithm.ts";

/**
 * A group of this many images, of any size in whole vectors of channels and of float16 as well, ends at a multiple of
 * 256 bytes, where another binding may begin.
 */
const alignedImages = 32;

/** Bytes of transformed images beyond which a larger group would only take more memory. */
const enoughBytes = 2 ** 26;

/** A kernel that multiplies transformed tiles by transformed weights. */
type Product = typeof winogradProduct;

/** Source and result of a convolution of stride 1, forward or backward. */
interface TiledConvolution {
  readonly batch: number;
  /** `[height, width, channels]` of an image. */
  readonly source: readonly [number, number, number];
  readonly result: readonly [number, number, number];
  /** Rows and columns of zeros around the source. */
  readonly padding: number;
  readonly outputs: WinogradOutputs;
}

/**
 * How many images to transform at a time: their tiles must fit into a binding, and not take more memory than helps. It
 * is the whole batch, or a multiple of 32 so that each part of the batch can be bound by itself, or 0 if not even 32
 * fit.
 */
function imagesAtATime({ batch, source, result, outputs }: TiledConvolution, largestBinding: number): number {
  const tiles = winogradTiles({ batch: 1, height: result[0], width: result[1] }, outputs).count;
  const bytes = 4 * winogradValues(outputs) * tiles * Math.max(source[2], result[2]);
  const enough = Math.max(alignedImages, Math.floor(enoughBytes / bytes));
  const images = Math.min(enough, Math.floor(largestBinding / bytes));
  return images >= batch ? batch : images - images % alignedImages;
}

function forwards(shape: Conv2dShape, outputs: WinogradOutputs): TiledConvolution {
  const { batch, height, width, inChannels, outChannels, padding } = shape;
  const output = outputSize(shape);
  return {
    batch,
    source: [height, width, inChannels],
    result: [output.height, output.width, outChannels],
    padding,
    outputs,
  };
}

function backwards(shape: Conv2dShape, outputs: WinogradOutputs): TiledConvolution {
  const { source, result, padding, ...rest } = forwards(shape, outputs);
  return { ...rest, source: result, result: source, padding: 2 - padding };
}

/** The products for the gradient with respect to the weight, in no parts if no split suits. */
function weightProducts({ batch, source, result, outputs }: TiledConvolution): WinogradWeightProductShape {
  const tiles = winogradTiles({ batch, height: result[0], width: result[1] }, outputs).count;
  const shape = { products: winogradValues(outputs), tiles, inChannels: source[2], outChannels: result[2] };
  return { ...shape, parts: winogradWeightParts(shape) };
}

/** The parts of a batch, each a first image and a number of images. */
function partsOfBatch(tiled: TiledConvolution, largestBinding: number): { first: number; images: number }[] {
  const { batch } = tiled;
  const step = imagesAtATime(tiled, largestBinding);
  return Array.from({ length: Math.ceil(batch / step) }, (_, i) => ({
    first: i * step,
    images: Math.min(step, batch - i * step),
  }));
}

/**
 * Whether the products for the gradient with respect to the weight, and so the transformed weights, fit into a binding.
 */
function suitsWeights(tiled: TiledConvolution, largestBinding: number): boolean {
  return partsOfBatch(tiled, largestBinding).every(({ images }) => {
    const { products, inChannels, outChannels, parts } = weightProducts({ ...tiled, batch: images });
    return parts > 0 && 4 * products * parts * inChannels * outChannels <= largestBinding;
  });
}

/**
 * Whether Winograd's algorithm can compute a convolution and its gradients: 3×3, stride 1, padding of at most 2, channels in
 * multiples of 4, and transformed images and weights that fit into bindings of the device.
 */
export function suitsWinograd(
  shape: Conv2dShape,
  outputs: WinogradOutputs,
  { maxStorageBufferBindingSize }: Pick<GPUSupportedLimits, "maxStorageBufferBindingSize">,
): boolean {
  const { kernel, stride, padding, inChannels, outChannels } = shape;
  const output = outputSize(shape);
  return kernel === 3 && stride === 1 && padding <= 2 && inChannels % 4 === 0 && outChannels % 4 === 0 &&
    output.height > 0 && output.width > 0 &&
    [forwards, backwards].every((way) =>
      imagesAtATime(way(shape, outputs), maxStorageBufferBindingSize) > 0
    ) &&
    suitsWeights(forwards(shape, outputs), maxStorageBufferBindingSize);
}

/**
 * Records a 3×3 convolution of stride 1 with bias by Winograd's algorithm F(m×m, 3×3): m² outputs for (m + 2)²
 * multiplications a channel instead of 9 m².
 * @param outputs m
 * @param product the kernel that multiplies
 * @throws {GpuError} unless {@link suitsWinograd}.
 */
export function winogradForward(
  context: Context,
  shape: Conv2dShape,
  { input, weight, bias, output }: Readonly<Record<"input" | "weight" | "bias" | "output", Bindable>>,
  outputs: WinogradOutputs,
  product: Product = winogradProduct,
): void {
  requireSuitable(context, shape, outputs);
  const { inChannels, outChannels } = shape;
  using transformed = context.empty([winogradValues(outputs), outChannels, inChannels]);
  context.launch(winogradWeight, { inChannels, outChannels, outputs, rotated: false }, {
    weight,
    transformed,
  });
  convolveTiles(context, forwards(shape, outputs), input, transformed, output, { product, bias });
}

/**
 * Records the gradient of a 3×3 convolution of stride 1 with respect to its input in the same way: the convolution of
 * the gradient with respect to the output with rotated weights.
 * @param outputs m
 * @param product the kernel that multiplies
 * @throws {GpuError} unless {@link suitsWinograd}.
 */
export function winogradGradientInput(
  context: Context,
  shape: AccumulatedConv2dShape,
  { outputGradient, weight, inputGradient }: Readonly<
    Record<"outputGradient" | "weight" | "inputGradient", Bindable>
  >,
  outputs: WinogradOutputs,
  product: Product = winogradProduct,
): void {
  requireSuitable(context, shape, outputs);
  const { inChannels, outChannels, accumulate } = shape;
  using transformed = context.empty([winogradValues(outputs), inChannels, outChannels]);
  context.launch(winogradWeight, { inChannels, outChannels, outputs, rotated: true }, {
    weight,
    transformed,
  });
  convolveTiles(context, backwards(shape, outputs), outputGradient, transformed, inputGradient, {
    product,
    accumulate,
  });
}

/**
 * Records the gradient of a 3×3 convolution of stride 1 with respect to its weight in the same way: the m² output
 * gradients of a tile meet 9 taps in (m + 2)² multiplications.
 * @param outputs m
 * @throws {GpuError} unless {@link suitsWinograd}.
 */
export function winogradGradientWeight(
  context: Context,
  shape: AccumulatedConv2dShape,
  { input, outputGradient, weightGradient }: Readonly<
    Record<"input" | "outputGradient" | "weightGradient", Bindable>
  >,
  outputs: WinogradOutputs,
): void {
  requireSuitable(context, shape, outputs);
  const tiled = forwards(shape, outputs);
  const { inChannels, outChannels } = shape;
  const { maxStorageBufferBindingSize } = context.gpu.device.limits;
  for (const { first, images } of partsOfBatch(tiled, maxStorageBufferBindingSize)) {
    const part = { ...tiled, batch: images };
    const product = weightProducts(part);
    using products = multiplyTiles(
      context,
      part,
      product,
      imagesOf(input, tiled.source, first, images),
      imagesOf(outputGradient, tiled.result, first, images),
    );
    const accumulate = shape.accumulate || first > 0;
    const { parts } = product;
    context.launch(winogradWeightGradient, { inChannels, outChannels, outputs, parts, accumulate }, {
      products,
      gradient: weightGradient,
    });
  }
}

function requireSuitable(context: Context, shape: Conv2dShape, outputs: WinogradOutputs): void {
  if (suitsWinograd(shape, outputs, context.gpu.device.limits)) return;
  throw new GpuError(
    `winograd: cannot compute ${JSON.stringify(shape)} with ${outputs}×${outputs} outputs a tile here`,
  );
}

/**
 * Convolves with transformed weights `[(m + 2)², result channels, source channels]`, one part of the batch after
 * another.
 */
function convolveTiles(
  context: Context,
  tiled: TiledConvolution,
  source: Bindable,
  transformedWeight: Bindable,
  result: Bindable,
  { product: kernel, bias, accumulate = false }: {
    readonly product: Product;
    readonly bias?: Bindable;
    readonly accumulate?: boolean;
  },
): void {
  const { outputs } = tiled;
  const { maxStorageBufferBindingSize } = context.gpu.device.limits;
  for (const { first, images } of partsOfBatch(tiled, maxStorageBufferBindingSize)) {
    const [height, width, channels] = tiled.result;
    const size = { batch: images, height, width };
    using product = multiply(
      context,
      { ...tiled, batch: images },
      imagesOf(source, tiled.source, first, images),
      transformedWeight,
      kernel,
    );
    context.launch(winogradOutput, { ...size, channels, outputs, bias: bias !== undefined, accumulate }, {
      product,
      bias: bias ?? product,
      output: imagesOf(result, tiled.result, first, images),
    });
  }
}

/** A number of images of a batch, from the first on. */
function imagesOf(batch: Bindable, size: readonly number[], first: number, count: number): Bindable {
  const bytes = elementBytes(batch.type) * elements(size);
  return {
    type: batch.type,
    range: () => {
      const { buffer, offset } = batch.range();
      return { buffer, offset: offset + first * bytes, size: count * bytes };
    },
  };
}

/** The products `[(m + 2)², tiles, result channels]`; the caller owns them. */
function multiply(
  context: Context,
  { batch, source, result, padding, outputs }: TiledConvolution,
  images: Bindable,
  transformedWeight: Bindable,
  kernel: Product,
): Tensor {
  const products = winogradValues(outputs);
  const rows = winogradTiles({ batch, height: result[0], width: result[1] }, outputs).count;
  const [height, width, inner] = source;
  const columns = result[2];
  using transformed = context.empty([products, rows, inner]);
  context.launch(winogradInput, { batch, height, width, channels: inner, padding, outputs }, {
    source: images,
    transformed,
  });
  const product = context.empty([products, rows, columns]);
  context.launch(kernel, { products, rows, inner, columns }, {
    left: transformed,
    right: transformedWeight,
    product,
  });
  return product;
}

/** The products over tiles `[(m + 2)², parts, source channels, result channels]`; the caller owns them. */
function multiplyTiles(
  context: Context,
  { batch, source, result, padding, outputs }: TiledConvolution,
  shape: WinogradWeightProductShape,
  images: Bindable,
  gradients: Bindable,
): Tensor {
  const { products, tiles, inChannels, outChannels, parts } = shape;
  using inputs = context.empty([products, tiles, inChannels]);
  using outputGradients = context.empty([products, tiles, outChannels]);
  const [height, width] = source;
  context.launch(winogradInput, { batch, height, width, channels: inChannels, padding, outputs }, {
    source: images,
    transformed: inputs,
  });
  const size = { batch, height: result[0], width: result[1], channels: outChannels };
  context.launch(winogradOutputGradient, { ...size, outputs }, {
    gradient: gradients,
    transformed: outputGradients,
  });
  const results = context.empty([products, parts, inChannels, outChannels]);
  context.launch(winogradWeightProduct, shape, { inputs, gradients: outputGradients, results });
  return results;
}
