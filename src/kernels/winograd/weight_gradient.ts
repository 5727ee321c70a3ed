import wgsl from "../../../shaders/winograd/weight_gradient.wgsl" with { type: "text" };
import { bytes32, foldWorkgroups, type Kernel, withTextures } from "../kernel.ts";
import { inPairs } from "./pairs.ts";
import { requireFourChannels, winogradEntryPoint, type WinogradOutputs, winogradValues } from "./shape.ts";

/** The gradient of Winograd's convolution with respect to its weight. */
export interface WinogradWeightGradientShape {
  readonly inChannels: number;
  readonly outChannels: number;
  /** Outputs m along each side of a tile. */
  readonly outputs: WinogradOutputs;
  /** Parts of each product, which are added up. */
  readonly parts: number;
  /** Whether to add to what the gradient holds. */
  readonly accumulate: boolean;
}

/**
 * The gradient of Winograd's convolution with respect to its weight, from products over the tiles, `[(m + 2)², parts,
 * in, out]` → `[3, 3, in, out]`: Gᵀ · M · G of the sums M over the parts, in a fixed order.
 * @throws {RangeError} unless the channels are multiples of 4.
 * @cost (m + 2)² values of each part read for 9 written: bound by bandwidth. An invocation takes 2 output channels of
 *   an input channel, or 4 through textures.
 * @example
 * ```ts
 * import { run, winogradWeightGradient } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const channels = { inChannels: 4, outChannels: 4 };
 * const shape = { ...channels, outputs: 2, parts: 1, accumulate: false } as const;
 * const { gradient } = await run(winogradWeightGradient, shape, {
 *   products: Array(16 * 16).fill(1),
 *   gradient: 9 * 16,
 * });
 * // Of a line of ones the first tap takes 1/2 + 1/2 − 1, the last 1/2 + 1/2 + 1.
 * assert.deepEqual([gradient[0], gradient[8 * 16]], [0, 4]);
 * ```
 */
export const winogradWeightGradient: Kernel<WinogradWeightGradientShape, "products" | "gradient"> =
  withTextures({
    name: "winograd_weight_gradient",
    wgsl: inPairs(wgsl),
    entryPoint: winogradEntryPoint,
    bindings: [
      {
        name: "products",
        access: "read",
        bytes: ({ inChannels, outChannels, outputs, parts }) =>
          bytes32(winogradValues(outputs) * parts * inChannels * outChannels),
      },
      {
        name: "gradient",
        access: "read-write",
        bytes: ({ inChannels, outChannels }) => bytes32(9 * inChannels * outChannels),
      },
    ],
    constants: ({ inChannels, outChannels, parts, accumulate }) => {
      requireFourChannels(inChannels);
      requireFourChannels(outChannels);
      return { parts, accumulate: Number(accumulate) };
    },
    workgroups: ({ inChannels, outChannels }) => foldWorkgroups(inChannels * outChannels / 2),
  }, {
    wgsl,
    workgroups: ({ inChannels, outChannels }) => foldWorkgroups(inChannels * outChannels / 4),
    entryPoint: (shape) => `${winogradEntryPoint(shape)}ThroughTextures`,
  });
