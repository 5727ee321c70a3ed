import compactWgsl from "../../../shaders/conv2d/gradient_weight_compact.wgsl" with { type: "text" };
import stagedWgsl from "../../../shaders/conv2d/gradient_weight_staged.wgsl" with { type: "text" };
import textureWgsl from "../../../shaders/conv2d/gradient_weight_texture.wgsl" with { type: "text" };
import { conv2dConstants, type Conv2dShape, conv2dSizes, conv2dUniforms, outputSize } from "./shape.ts";
import { type Binding, bytes32, foldWorkgroups, type Kernel, mostLoopIterations } from "../kernel.ts";

type Names = "input" | "outputGradient" | "partials";

/**
 * Gradient of a convolution with respect to its weight, in parts `[splits, kernel, kernel, Cin, Cout]` that
 * `sumPartials` adds.
 */
export interface Conv2dGradientWeight extends Kernel<Conv2dShape, Names> {
  /** Number of parts into which the sum over the output's pixels is split. */
  readonly splits: (shape: Conv2dShape) => number;
}

/** Below {@link mostLoopIterations}, with room for the iterations in which loops end. */
const mostIterations = mostLoopIterations - 5535;

/** Decides into how many parts a sum over pixels is split. */
interface Splitting {
  /** Least number of output pixels that one invocation sums. With fewer, adding the parts costs more than it gains. */
  readonly leastPixels: number;
  /** Number of invocations that keeps the device busy. More parts only cost memory. */
  readonly enoughInvocations: number;
  /** Iterations of loops for a pixel, including those in which a loop ends. */
  readonly iterationsPerPixel: (shape: Conv2dShape) => number;
}

/** One for a GPU, and one for a few dozen processor cores. */
const fine: Splitting = { leastPixels: 256, enoughInvocations: 8192, iterationsPerPixel: () => 2 };
const coarse: Splitting = {
  leastPixels: 1024,
  enoughInvocations: 1024,
  iterationsPerPixel: ({ stride }) => stride + 2,
};

/** Sums split by the output's rows. In each part one invocation computes one tile of weights. */
function splitByRows(
  { leastPixels, enoughInvocations, iterationsPerPixel }: Splitting,
  tiles: (shape: Conv2dShape) => number,
) {
  const rowsPerSplit = (shape: Conv2dShape) => {
    const { height, width } = outputSize(shape);
    const rows = shape.batch * height;
    const least = Math.ceil(leastPixels / width);
    const enough = Math.ceil(rows * tiles(shape) / enoughInvocations);
    const iterationsPerRow = width * iterationsPerPixel(shape) + 2;
    return Math.min(
      rows,
      Math.max(least, enough),
      Math.max(1, Math.floor(mostIterations / iterationsPerRow)),
    );
  };
  const splits = (shape: Conv2dShape) =>
    Math.ceil(shape.batch * outputSize(shape).height / rowsPerSplit(shape));
  const workgroups = (shape: Conv2dShape) => foldWorkgroups(splits(shape) * tiles(shape), 8);
  return { rowsPerSplit, splits, workgroups };
}

const byTiles = splitByRows(
  coarse,
  ({ inChannels, outChannels }) => Math.ceil(inChannels / 4) * Math.ceil(outChannels / 16),
);
const byChannels = splitByRows(fine, ({ inChannels, outChannels }) => inChannels * outChannels / 4);

function bindings(
  access: "read" | "texture",
  splits: (shape: Conv2dShape) => number,
): readonly Binding<Conv2dShape, Names>[] {
  return [
    { name: "input", access, alias: "Input", bytes: (shape) => bytes32(conv2dSizes(shape).input) },
    { name: "outputGradient", access, bytes: (shape) => bytes32(conv2dSizes(shape).output) },
    {
      name: "partials",
      access: "read-write",
      bytes: (shape) => bytes32(splits(shape) * conv2dSizes(shape).weight),
    },
  ];
}

/** How the staged kernel divides its work. Rows are taps × input channels, columns are output channels. */
export interface WeightTile {
  /** A multiple of 8, at least 16. */
  readonly rows: number;
  /** A multiple of 8, at least 16. */
  readonly columns: number;
  /** The output's pixels are split up to this many workgroups. */
  readonly workgroups: number;
  /** Columns that an invocation computes: 8 by default, 4 for GPUs with few registers. */
  readonly columnsPerThread?: 4 | 8;
}

/** Pixels that a workgroup takes at a time, as the shader defines it. */
const pixelsPerStep = 8;
/** 512 workgroups keep a large GPU busy. */
const square: WeightTile = { rows: 64, columns: 64, workgroups: 512 };
/** For few output channels. */
const few: WeightTile = { rows: 64, columns: 32, workgroups: 512, columnsPerThread: 4 };
/**
 * Rows of the tiles for 1×1 kernels on few input channels, and their most columns. No rows of such a tile are empty.
 */
const flat = { rows: 16, mostColumns: 160 } as const;

/** The tile for a shape, but for Intel's GPUs. */
function defaultTile({ kernel, inChannels, outChannels }: Conv2dShape): WeightTile {
  if (outChannels <= few.columns) return few;
  if (kernel ** 2 * inChannels > flat.rows) return square;
  const tiles = Math.ceil(outChannels / flat.mostColumns);
  return { ...square, rows: flat.rows, columns: 8 * Math.ceil(outChannels / tiles / 8) };
}

function staged(name: string, tileOf: (shape: Conv2dShape) => WeightTile): Conv2dGradientWeight {
  const tiles = (shape: Conv2dShape) => {
    const { rows, columns } = tileOf(shape);
    return Math.ceil(shape.kernel ** 2 * shape.inChannels / rows) * Math.ceil(shape.outChannels / columns);
  };
  const pixelsPerSplit = (shape: Conv2dShape) => {
    const pixels = conv2dSizes(shape).output / shape.outChannels;
    const enough = Math.ceil(pixels * tiles(shape) / tileOf(shape).workgroups);
    const steps = Math.min(mostIterations, Math.ceil(Math.max(fine.leastPixels, enough) / pixelsPerStep));
    return Math.min(pixels, steps * pixelsPerStep);
  };
  const splits = (shape: Conv2dShape) =>
    Math.ceil(conv2dSizes(shape).output / shape.outChannels / pixelsPerSplit(shape));
  return {
    name,
    wgsl: stagedWgsl,
    splits,
    bindings: bindings("read", splits),
    constants: (shape) => {
      const { rows, columns, columnsPerThread = 8 } = tileOf(shape);
      return {
        ...conv2dConstants(shape),
        pixelsPerSplit: pixelsPerSplit(shape),
        rowThreads: rows / 8,
        columnThreads: columns / columnsPerThread,
        columnVectors: columnsPerThread / 4,
      };
    },
    workgroups: (shape) => foldWorkgroups(splits(shape) * tiles(shape), 1),
  };
}

/** {@link conv2dGradientWeight} with other tiles and parts. */
export function conv2dGradientWeightTiled(tile: WeightTile): Conv2dGradientWeight {
  return staged(`conv2d_gradient_weight_${tile.rows}x${tile.columns}_${tile.workgroups}`, () => tile);
}

/**
 * The gradient for images of a multiple of 4 channels, in tiles staged in workgroup memory.
 * @throws {RangeError} unless the kernel is 1×1 or 3×3 and the channels are multiples of 4.
 * @cost A multiply-add for each output pixel and weight. An invocation sums 8 taps or input channels × 8 output
 *   channels over part of the pixels.
 * @example
 * ```ts
 * import { conv2dGradientWeight, conv2dSizes, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const shape = {
 *   batch: 1,
 *   height: 3,
 *   width: 3,
 *   inChannels: 4,
 *   outChannels: 4,
 *   kernel: 3,
 *   stride: 1,
 *   padding: 1,
 * };
 * const { input, weight, output } = conv2dSizes(shape);
 * assert.equal(conv2dGradientWeight.splits(shape), 1); // so the first part is the gradient
 * const { partials } = await run(conv2dGradientWeight, shape, {
 *   input: Array(input).fill(1),
 *   outputGradient: Array(output).fill(1),
 *   partials: weight,
 * });
 * // The tap in the corner meets 4 pixels, the one in the centre 9.
 * assert.equal(partials[0], 4);
 * assert.equal(partials[4 * shape.inChannels * shape.outChannels], 9);
 * ```
 */
export const conv2dGradientWeight: Conv2dGradientWeight = {
  ...staged("conv2d_gradient_weight", defaultTile),
  variants: { intel: staged("conv2d_gradient_weight_intel", () => ({ ...square, columnsPerThread: 4 })) },
};

/**
 * {@link conv2dGradientWeight} in large tiles of registers, read through textures: for lavapipe.
 * @throws {RangeError} unless the kernel is 1×1 or 3×3 and the channels are multiples of 4.
 * @cost A multiply-add for each output pixel and weight. An invocation sums all taps × 4 input × 16 output channels
 *   over part of the rows.
 * @example
 * ```ts
 * import { conv2dGradientWeightTexture, conv2dSizes, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const shape = {
 *   batch: 1,
 *   height: 3,
 *   width: 3,
 *   inChannels: 4,
 *   outChannels: 4,
 *   kernel: 3,
 *   stride: 1,
 *   padding: 1,
 * };
 * const { input, weight, output } = conv2dSizes(shape);
 * assert.equal(conv2dGradientWeightTexture.splits(shape), 1); // so the first part is the gradient
 * const { partials } = await run(conv2dGradientWeightTexture, shape, {
 *   input: Array(input).fill(1),
 *   outputGradient: Array(output).fill(1),
 *   partials: weight,
 * });
 * // The tap in the corner meets 4 pixels, the one in the centre 9.
 * assert.equal(partials[0], 4);
 * assert.equal(partials[4 * shape.inChannels * shape.outChannels], 9);
 * ```
 */
export const conv2dGradientWeightTexture: Conv2dGradientWeight = {
  name: "conv2d_gradient_weight_texture",
  wgsl: textureWgsl,
  splits: byTiles.splits,
  bindings: bindings("texture", byTiles.splits),
  constants: (shape) => ({
    ...conv2dConstants(shape),
    rowsPerSplit: byTiles.rowsPerSplit(shape),
    rows: shape.batch * outputSize(shape).height,
  }),
  uniforms: { ...conv2dUniforms, stride: "u32", padding: "u32", rowsPerSplit: "u32", rows: "u32" },
  workgroups: byTiles.workgroups,
};

/**
 * {@link conv2dGradientWeight} as a short program, for implementations that compile slowly.
 * @throws {RangeError} unless the kernel is 1×1 or 3×3 and the channels are multiples of 4.
 * @cost A multiply-add for each output pixel and weight. An invocation sums all taps × 1 input × 4 output channels
 *   over part of the rows.
 * @example
 * ```ts
 * import { conv2dGradientWeightCompact, conv2dSizes, run } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const shape = {
 *   batch: 1,
 *   height: 3,
 *   width: 3,
 *   inChannels: 4,
 *   outChannels: 4,
 *   kernel: 3,
 *   stride: 1,
 *   padding: 1,
 * };
 * const { input, weight, output } = conv2dSizes(shape);
 * assert.equal(conv2dGradientWeightCompact.splits(shape), 1); // so the first part is the gradient
 * const { partials } = await run(conv2dGradientWeightCompact, shape, {
 *   input: Array(input).fill(1),
 *   outputGradient: Array(output).fill(1),
 *   partials: weight,
 * });
 * // The tap in the corner meets 4 pixels, the one in the centre 9.
 * assert.equal(partials[0], 4);
 * assert.equal(partials[4 * shape.inChannels * shape.outChannels], 9);
 * ```
 */
export const conv2dGradientWeightCompact: Conv2dGradientWeight = {
  name: "conv2d_gradient_weight_compact",
  wgsl: compactWgsl,
  splits: byChannels.splits,
  bindings: bindings("read", byChannels.splits),
  constants: (shape) => ({ ...conv2dConstants(shape), rowsPerSplit: byChannels.rowsPerSplit(shape) }),
  workgroups: byChannels.workgroups,
};
