import wgsl from "../../../shaders/winograd/output_gradient.wgsl" with { type: "text" };
import { bytes32, foldWorkgroups, type Kernel, withTextures } from "../kernel.ts";
import { inPairs } from "./pairs.ts";
import {
  requireFourChannels,
  winogradEntryPoint,
  type WinogradOutputs,
  winogradTiles,
  winogradValues,
} from "./shape.ts";

/** Gradients with respect to the outputs of a convolution, to transform for its gradient with respect to the weight. */
export interface WinogradOutputGradientShape {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Outputs m along each side of a tile. */
  readonly outputs: WinogradOutputs;
}

/**
 * The gradient with respect to the output, transformed for the gradient of Winograd's convolution F(m×m, 3×3) with
 * respect to the weight: `[N, H, W, C]` → `[(m + 2)², tiles, C]`, A · g · Aᵀ of each m×m tile g.
 * @throws {RangeError} unless the channels are a multiple of 4.
 * @cost m² values read for (m + 2)² written: bound by bandwidth. An invocation takes a tile of 2 channels, or of 4
 *   through textures.
 * @example
 * ```ts
 * import { run, winogradOutputGradient } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const shape = { batch: 1, height: 2, width: 2, channels: 4, outputs: 2 } as const;
 * const { transformed } = await run(winogradOutputGradient, shape, {
 *   gradient: [1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0],
 *   transformed: 16 * 4,
 * });
 * // One tile. Its value (1, 1) is the sum of the pixels.
 * assert.equal(transformed[5 * 4], 10);
 * ```
 */
export const winogradOutputGradient: Kernel<WinogradOutputGradientShape, "gradient" | "transformed"> =
  withTextures({
    name: "winograd_output_gradient",
    wgsl: inPairs(wgsl),
    entryPoint: winogradEntryPoint,
    bindings: [
      {
        name: "gradient",
        access: "read",
        bytes: ({ batch, height, width, channels }) => bytes32(batch * height * width * channels),
      },
      {
        name: "transformed",
        access: "read-write",
        bytes: (shape) =>
          bytes32(winogradValues(shape.outputs) * winogradTiles(shape, shape.outputs).count * shape.channels),
      },
    ],
    constants: ({ height, width, channels }) => {
      requireFourChannels(channels);
      return { height, width, channels };
    },
    workgroups: (shape) => foldWorkgroups(winogradTiles(shape, shape.outputs).count * shape.channels / 2),
  }, {
    wgsl,
    workgroups: (shape) => foldWorkgroups(winogradTiles(shape, shape.outputs).count * shape.channels / 4),
    entryPoint: (shape) => `${winogradEntryPoint(shape)}ThroughTextures`,
  });
