import stagedWgsl from "../../../shaders/conv2d/gradient_weight_staged.wgsl" with { type: "text" };
import textureWgsl from "../../../shaders/winograd/weight_product_texture.wgsl" with { type: "text" };
import { conv2dConstants } from "../conv2d/shape.ts";
import { bytes32, foldWorkgroups, type Kernel, requireShape, withTextures } from "../kernel.ts";
import { requireFourChannels } from "./shape.ts";

/** A number of matrix products `[tiles, inChannels]ᵀ` · `[tiles, outChannels]`. */
export interface WinogradWeightProductShape {
  readonly products: number;
  readonly tiles: number;
  readonly inChannels: number;
  readonly outChannels: number;
  /** Equal parts of the tiles, each summed by itself. */
  readonly parts: number;
}

/** Channels of each side that a workgroup of the staged kernel computes. */
const tileChannels = 64;
/** Workgroups that keep a large GPU busy. */
const enoughWorkgroups = 512;
/** Fewest tiles that an invocation sums. With fewer, adding the parts costs more than it gains. */
const leastTiles = 256;
/** Tiles are taken four or eight at a time, so loops stay far below `mostLoopIterations`. */
const mostTiles = 30_000;

/**
 * Number of parts for a product: the fewest that keep a GPU busy, divide its tiles, and leave each part enough to sum.
 * @returns 0 if no number of parts has few enough tiles.
 */
export function winogradWeightParts(
  { products, tiles, inChannels, outChannels }: Omit<WinogradWeightProductShape, "parts">,
): number {
  const workgroups = products * Math.ceil(inChannels / tileChannels) * Math.ceil(outChannels / tileChannels);
  let most = 0;
  for (let parts = Math.ceil(tiles / mostTiles); parts === 1 || parts * leastTiles <= tiles; parts++) {
    if (tiles % parts !== 0) continue;
    most = parts;
    if (parts * workgroups >= enoughWorkgroups) break;
  }
  return most;
}

function requireSupported({ tiles, inChannels, outChannels, parts }: WinogradWeightProductShape): void {
  requireFourChannels(inChannels);
  requireFourChannels(outChannels);
  requireShape(
    tiles % parts === 0 && tiles / parts <= mostTiles,
    "winograd_weight_product",
    `${tiles} tiles in ${parts} parts, which must be equal and of at most ${mostTiles}`,
  );
}

/** The products as the gradient of a 1×1 convolution of one row of pixels with respect to its weight. */
function stagedConstants(shape: WinogradWeightProductShape, columnsPerThread: 4 | 8): Record<string, number> {
  requireSupported(shape);
  const { products, tiles, inChannels, outChannels, parts } = shape;
  const row = { batch: 1, height: 1, width: products * tiles, inChannels, outChannels };
  return {
    ...conv2dConstants({ ...row, kernel: 1, stride: 1, padding: 0 }),
    pixelsPerSplit: tiles / parts,
    rowThreads: tileChannels / 8,
    columnThreads: tileChannels / columnsPerThread,
    columnVectors: columnsPerThread / 4,
  };
}

function staged(
  name: string,
  columnsPerThread: 4 | 8,
): Kernel<WinogradWeightProductShape, "inputs" | "gradients" | "results"> {
  return {
    name,
    wgsl: stagedWgsl,
    bindings: [
      {
        name: "inputs",
        access: "read",
        bytes: ({ products, tiles, inChannels }) => bytes32(products * tiles * inChannels),
      },
      {
        name: "gradients",
        access: "read",
        bytes: ({ products, tiles, outChannels }) => bytes32(products * tiles * outChannels),
      },
      {
        name: "results",
        access: "read-write",
        bytes: ({ products, parts, inChannels, outChannels }) =>
          bytes32(products * parts * inChannels * outChannels),
      },
    ],
    constants: (shape) => stagedConstants(shape, columnsPerThread),
    workgroups: ({ products, parts, inChannels, outChannels }) =>
      foldWorkgroups(
        products * parts * Math.ceil(inChannels / tileChannels) * Math.ceil(outChannels / tileChannels),
        1,
      ),
  };
}

/**
 * The products for the gradient of Winograd's convolution with respect to its weight, each a sum over tiles: `[P,
 * tiles, in]` and `[P, tiles, out]` → `[P, parts, in, out]`, see `winogradWeightParts`.
 * @throws {RangeError} unless the channels are multiples of 4, and the parts equal and of at most 30,000 tiles.
 * @cost P · tiles · in · out multiply-adds, by the kernel for the gradient with respect to the weight: in tiles staged
 *   in workgroup memory, 8 × 8 results for an invocation; on lavapipe 16 × 16, read through textures.
 * @example
 * ```ts
 * import { run, winogradWeightProduct } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const shape = { products: 1, tiles: 2, inChannels: 4, outChannels: 4, parts: 1 };
 * const { results } = await run(winogradWeightProduct, shape, {
 *   inputs: [1, 2, 3, 4, 10, 20, 30, 40],
 *   gradients: [1, 0, 0, 0, 1, 1, 0, 0],
 *   results: 16,
 * });
 * assert.deepEqual([...results], [11, 10, 0, 0, 22, 20, 0, 0, 33, 30, 0, 0, 44, 40, 0, 0]);
 * ```
 */
export const winogradWeightProduct: Kernel<
  WinogradWeightProductShape,
  "inputs" | "gradients" | "results"
> = withTextures({
  ...staged("winograd_weight_product", 8),
  variants: { intel: staged("winograd_weight_product_intel", 4) },
}, {
  wgsl: textureWgsl,
  entryPoint: "main",
  uniforms: { tiles: "u32", tilesPerPart: "u32", inChannels: "u32", outChannels: "u32" },
  constants: (shape) => {
    requireSupported(shape);
    const { tiles, parts, inChannels, outChannels } = shape;
    return { tiles, tilesPerPart: tiles / parts, inChannels, outChannels };
  },
  workgroups: ({ products, parts, inChannels, outChannels }) =>
    foldWorkgroups(products * parts * Math.ceil(inChannels / 16) * Math.ceil(outChannels / 16), 8),
});
