import { requireShape, type Uniforms } from "../kernel.ts";

/** A 2-D convolution (cross-correlation, as in PyTorch) of images `[N, H, W, C]` with square kernels and zero padding. */
export interface Conv2dShape {
  readonly batch: number;
  /** Height of the convolution's input. */
  readonly height: number;
  /** Width of the convolution's input. */
  readonly width: number;
  readonly inChannels: number;
  readonly outChannels: number;
  /** Side of the kernels. */
  readonly kernel: number;
  readonly stride: number;
  /** Pixels of zeros around the input. */
  readonly padding: number;
}

/** Height and width of the output: ⌊(size + 2·padding − kernel) / stride⌋ + 1. */
export function outputSize(
  { height, width, kernel, stride, padding }: Conv2dShape,
): { height: number; width: number } {
  const along = (size: number) => Math.floor((size + 2 * padding - kernel) / stride) + 1;
  return { height: along(height), width: along(width) };
}

/** Constants at the start of the uniform buffers of all convolution shaders that have one. */
export const conv2dUniforms: Uniforms = {
  height: "u32",
  width: "u32",
  outHeight: "u32",
  outWidth: "u32",
  inChannels: "u32",
  outChannels: "u32",
};

/** Number of values in the input, the weight and the output. */
export function conv2dSizes(shape: Conv2dShape): { input: number; weight: number; output: number } {
  const { batch, inChannels, outChannels, kernel } = shape;
  const { height, width } = outputSize(shape);
  return {
    input: batch * shape.height * shape.width * inChannels,
    weight: kernel * kernel * inChannels * outChannels,
    output: batch * height * width * outChannels,
  };
}

/**
 * Constants that all convolution shaders share.
 * @throws {RangeError} if the shape is not supported.
 */
export function conv2dConstants(shape: Conv2dShape): Record<string, number> {
  const { height, width, inChannels, outChannels, kernel, stride, padding } = shape;
  const name = "conv2d";
  const { height: outHeight, width: outWidth } = outputSize(shape);
  requireShape(outHeight > 0 && outWidth > 0, name, `no output of ${height}×${width} with kernel ${kernel}`);
  requireShape(kernel === 1 || kernel === 3, name, `kernel size must be 1 or 3, not ${kernel}`);
  requireShape(stride >= 1 && padding >= 0, name, `stride ${stride}, padding ${padding}`);
  requireShape(outChannels % 4 === 0, name, `output channels must be a multiple of 4, not ${outChannels}`);
  requireShape(inChannels % 4 === 0, name, `input channels must be a multiple of 4, not ${inChannels}`);
  return { height, width, outHeight, outWidth, inChannels, outChannels, kernel, stride, padding };
}
