import wgsl from "../../../shaders/winograd/input.wgsl" with { type: "text" };
import { bytes32, foldWorkgroups, type Kernel, withTextures } from "../kernel.ts";
import { inPairs } from "./pairs.ts";
import {
  requireFourChannels,
  winogradEntryPoint,
  type WinogradOutputs,
  winogradTiles,
  winogradValues,
} from "./shape.ts";

/** Images to transform for Winograd's convolution. Its results are `height + 2·padding − 2` high. */
export interface WinogradInputShape {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly padding: number;
  /** Outputs m along each side of a tile. */
  readonly outputs: WinogradOutputs;
}

function tilesOf({ batch, height, width, padding, outputs }: WinogradInputShape) {
  const along = (size: number) => size + 2 * padding - 2;
  return winogradTiles({ batch, height: along(height), width: along(width) }, outputs);
}

/**
 * Overlapping tiles of images, transformed for Winograd's convolution F(m×m, 3×3): `[N, H, W, C]` → `[(m + 2)², tiles,
 * C]`, Bᵀ · d · B of each tile d.
 * @throws {RangeError} unless the channels are a multiple of 4.
 * @cost (m + 2)² values read and as many written for m² outputs: bound by bandwidth. An invocation takes a tile of 2
 *   channels, or of 4 through textures.
 * @example
 * ```ts
 * import { run, winogradInput } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const shape = { batch: 1, height: 2, width: 2, channels: 4, padding: 1, outputs: 2 } as const;
 * const { transformed } = await run(winogradInput, shape, {
 *   source: [1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0],
 *   transformed: 16 * 4,
 * });
 * // One tile: the image with zeros around. Its value (1, 1) is the sum of the pixels.
 * assert.equal(transformed[5 * 4], 10);
 * ```
 */
export const winogradInput: Kernel<WinogradInputShape, "source" | "transformed"> = withTextures({
  name: "winograd_input",
  wgsl: inPairs(wgsl),
  entryPoint: winogradEntryPoint,
  bindings: [
    {
      name: "source",
      access: "read",
      alias: "Source",
      bytes: ({ batch, height, width, channels }) => bytes32(batch * height * width * channels),
    },
    {
      name: "transformed",
      access: "read-write",
      bytes: (shape) => bytes32(winogradValues(shape.outputs) * tilesOf(shape).count * shape.channels),
    },
  ],
  constants: (shape) => {
    requireFourChannels(shape.channels);
    const { height, width, channels, padding } = shape;
    const { rows, columns } = tilesOf(shape);
    return { height, width, channels, padding, tileRows: rows, tileColumns: columns };
  },
  workgroups: (shape) => foldWorkgroups(tilesOf(shape).count * shape.channels / 2),
}, {
  wgsl,
  workgroups: (shape) => foldWorkgroups(tilesOf(shape).count * shape.channels / 4),
  entryPoint: (shape) => `${winogradEntryPoint(shape)}ThroughTextures`,
});
