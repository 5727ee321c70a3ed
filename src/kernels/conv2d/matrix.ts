import matrixWgsl from "../../../shaders/conv2d/matrix.wgsl" with { type: "text" };
import { type Conv2dForward, conv2dForward } from "./forward.ts";
import {
  type Conv2dGradientInput,
  conv2dGradientInput,
  type Conv2dGradientInputShape,
} from "./gradient_input.ts";
import { conv2dConstants, type Conv2dShape, conv2dSizes, outputSize } from "./shape.ts";
import { productConstants } from "./staged.ts";
import { foldWorkgroups } from "../kernel.ts";

/**
 * What an adapter's matrix units compute in one operation of a subgroup: `[rows, inner]` · `[inner, columns]`, with
 * float16 factors and float32 sums (WGSL's extension `chromium_experimental_subgroup_matrix`).
 */
export interface MatrixUnits {
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  /** Invocations in a subgroup, which must be the same for every shader. */
  readonly subgroupSize: number;
}

/** Subgroups of a workgroup along each side, and matrices of a subgroup along each side, as the shader defines them. */
const subgroupsAcross = 2;
const matricesAcross = 2;
/** Bytes of workgroup memory that WebGPU guarantees. */
const workgroupBytes = 16_384;

/**
 * Gradients with respect to the output are multiplied by this before they are rounded to float16, and sums are divided
 * by it. From 65,504 / 4,096 = 16 on they become infinite. Below 2⁻¹⁴ / 4,096 = 1.5·10⁻⁸ they have fewer than float16's
 * 11 bits, and below 1.5·10⁻¹¹ they are zero.
 */
export const gradientScale = 2 ** 12;

/** Pixels and channels that a workgroup computes. */
function tileOf({ rows, columns }: MatrixUnits): { pixels: number; channels: number } {
  const across = subgroupsAcross * matricesAcross;
  return { pixels: across * rows, channels: across * columns };
}

/**
 * Whether the shader can use matrix units of these sizes. It loads vectors of four, and its tiles must fit into
 * workgroup memory.
 */
export function suitsMatrices(units: MatrixUnits): boolean {
  const { rows, columns, inner } = units;
  const { pixels, channels } = tileOf(units);
  const staged = 2 * (2 * inner) * (pixels + channels);
  const results = 4 * subgroupsAcross ** 2 * rows * columns;
  return columns % 4 === 0 && inner % 2 === 0 && staged + results + 4 * pixels <= workgroupBytes;
}

/** The shader for an adapter. */
export function matrixShader({ rows, columns, inner, subgroupSize }: MatrixUnits): string {
  const sizes = { matrixRows: rows, matrixColumns: columns, matrixInner: inner, subgroupSize };
  return Object.entries(sizes).reduce(
    (wgsl, [name, size]) =>
      wgsl.replace(RegExp(`^const ${name} = \\d+u;$`, "m"), `const ${name} = ${size}u;`),
    matrixWgsl,
  );
}

/** Workgroups for `phases` phases, each with the given number of pixels. */
export function matrixWorkgroups(
  units: MatrixUnits,
  pixels: number,
  phases: number,
  channels: number,
): [number, number, number] {
  const tile = tileOf(units);
  return foldWorkgroups(phases * Math.ceil(pixels / tile.pixels) * Math.ceil(channels / tile.channels), 1);
}

/**
 * {@link conv2dForward} by matrix units. Input and weight are rounded to float16; sums are float32. Magnitudes above
 * 65,504 become infinite.
 * @throws {RangeError} unless the kernel is 1×1 or 3×3 and the channels are multiples of 4.
 */
export function conv2dForwardMatrix(units: MatrixUnits): Conv2dForward {
  const { bindings } = conv2dForward;
  return {
    name: "conv2d_forward_matrix",
    wgsl: matrixShader(units),
    entryPoint: "forward",
    bindings,
    constants: (shape) => {
      conv2dConstants(shape);
      const { inChannels, outChannels } = shape;
      return productConstants(shape, inChannels, outputSize(shape), outChannels, shape);
    },
    workgroups: (shape) =>
      matrixWorkgroups(units, conv2dSizes(shape).output / shape.outChannels, 1, shape.outChannels),
  };
}

/**
 * {@link conv2dGradientInput} by matrix units. The weight, and the gradient times {@link gradientScale}, are rounded to
 * float16; sums are float32.
 * @throws {RangeError} unless the kernel is 1×1 or 3×3 and the channels are multiples of 4.
 */
export function conv2dGradientInputMatrix(units: MatrixUnits): Conv2dGradientInput {
  const { bindings } = conv2dGradientInput;
  return {
    name: "conv2d_gradient_input_matrix",
    wgsl: matrixShader(units),
    entryPoint: "gradientInput",
    bindings,
    constants: (shape) => ({ ...backwards(shape), scale: gradientScale }),
    workgroups: (shape) => matrixWorkgroups(units, phasePixels(shape), shape.stride ** 2, shape.inChannels),
  };
}

function backwards(shape: Conv2dGradientInputShape): Record<string, number> {
  conv2dConstants(shape);
  const { inChannels, outChannels, accumulate } = shape;
  return {
    ...productConstants(outputSize(shape), outChannels, shape, inChannels, shape),
    accumulate: Number(accumulate),
  };
}

/** Pixels of each of the stride² phases, each counted like the largest. */
function phasePixels({ batch, height, width, stride }: Conv2dShape): number {
  return batch * Math.ceil(height / stride) * Math.ceil(width / stride);
}
