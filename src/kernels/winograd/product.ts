import textureWgsl from "../../../shaders/conv2d/gradient_input_texture.wgsl" with { type: "text" };
import stagedWgsl from "../../../shaders/conv2d/staged.wgsl" with { type: "text" };
import { textureUniforms } from "../conv2d/gradient_input.ts";
import {
  defaultTile,
  productConstants,
  type StagedTile,
  stagedTile,
  stagedWorkgroups,
} from "../conv2d/staged.ts";
import type { GpuKind } from "../gpu_kind.ts";
import { bytes32, foldWorkgroups, type Kernel, withTextures } from "../kernel.ts";
import { requireFourChannels } from "./shape.ts";

/** A number of matrix products `[rows, inner]` · `[columns, inner]ᵀ`. */
export interface WinogradProductShape {
  readonly products: number;
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
}

/** Half the default height, for products that would leave a tile of that height half empty. */
function tileOf({ rows, columns }: WinogradProductShape, kind: GpuKind | undefined): StagedTile {
  const tile = defaultTile(columns, kind);
  return rows <= low.pixels ? { ...tile, ...low } : tile;
}
const low = { pixels: 64, channels: 64 };

/**
 * The products as the gradient of a 1×1 convolution with respect to its input: images of `rows` pixels, each with its
 * own weights.
 */
function geometry({ products, inner, columns }: WinogradProductShape) {
  requireFourChannels(inner);
  requireFourChannels(columns);
  return { kernel: 1, stride: 1, padding: 0, weightSets: products };
}

function staged(name: string, kind?: GpuKind): Kernel<WinogradProductShape, "left" | "right" | "product"> {
  return {
    name,
    wgsl: stagedWgsl,
    entryPoint: "gradientInput",
    bindings: [
      {
        name: "left",
        access: "read",
        bytes: ({ products, rows, inner }) => bytes32(products * rows * inner),
      },
      {
        name: "right",
        access: "read",
        bytes: ({ products, inner, columns }) => bytes32(products * inner * columns),
      },
      {
        name: "product",
        access: "read-write",
        bytes: ({ products, rows, columns }) => bytes32(products * rows * columns),
      },
    ],
    constants: (shape) => {
      const size = { height: shape.rows, width: 1 };
      const { weightSets, ...taps } = geometry(shape);
      return {
        ...productConstants(size, shape.inner, size, shape.columns, taps),
        ...stagedTile(tileOf(shape, kind), shape.columns),
        weightSets,
      };
    },
    workgroups: (shape) => stagedWorkgroups(tileOf(shape, kind), shape.rows, shape.products, shape.columns),
  };
}

/**
 * The products of Winograd's convolution: `[P, rows, inner]` · `[P, columns, inner]ᵀ` → `[P, rows, columns]`, one for
 * each of P values of a tile. Rows are tiles; columns are the result's channels.
 * @throws {RangeError} unless `inner` and `columns` are multiples of 4.
 * @cost P · rows · columns · inner multiply-adds, by the kernels for convolutions: in tiles staged in workgroup memory,
 *   8 × 8 results for an invocation; on lavapipe 16 × 16, read through textures.
 * @example
 * ```ts
 * import { run, winogradProduct } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const { product } = await run(winogradProduct, { products: 2, rows: 1, inner: 4, columns: 4 }, {
 *   left: [1, 2, 3, 4, 5, 6, 7, 8],
 *   // Of each product four columns, one after the other: the first picks the row's first value, the others nothing.
 *   right: [1, ...Array(15).fill(0), 1, ...Array(15).fill(0)],
 *   product: 8,
 * });
 * assert.deepEqual([...product], [1, 0, 0, 0, 5, 0, 0, 0]);
 * ```
 */
export const winogradProduct: Kernel<WinogradProductShape, "left" | "right" | "product"> = withTextures({
  ...staged("winograd_product"),
  variants: { intel: staged("winograd_product_intel", "intel"), gcn: staged("winograd_product_gcn", "gcn") },
}, {
  wgsl: textureWgsl,
  entryPoint: "main",
  uniforms: textureUniforms,
  constants: (shape) => ({
    ...{ height: shape.rows, width: 1, outHeight: shape.rows, outWidth: 1 },
    ...{ inChannels: shape.columns, outChannels: shape.inner },
    ...geometry(shape),
  }),
  workgroups: ({ products, rows, columns }) =>
    foldWorkgroups(products * Math.ceil(rows / 16) * Math.ceil(columns / 16), 8),
});
