import wgsl from "../../../shaders/winograd/output.wgsl" with { type: "text" };
import { bytes32, foldWorkgroups, type Kernel, withTextures } from "../kernel.ts";
import { inPairs } from "./pairs.ts";
import {
  requireFourChannels,
  winogradEntryPoint,
  type WinogradOutputs,
  winogradTiles,
  winogradValues,
} from "./shape.ts";

/** Results of Winograd's convolution. */
export interface WinogradOutputShape {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Outputs m along each side of a tile. */
  readonly outputs: WinogradOutputs;
  /** Whether to add a bias to every pixel. If not, any buffer but the output's may be bound in its place. */
  readonly bias: boolean;
  /** Whether to add to what the output holds. */
  readonly accumulate: boolean;
}

/**
 * The results of Winograd's convolution F(m×m, 3×3) from its products, `[(m + 2)², tiles, C]` → `[N, H, W, C]`: Aᵀ · M
 * · A of each tile's products M, with a bias, or added to what the output holds.
 * @throws {RangeError} unless the channels are a multiple of 4.
 * @cost (m + 2)² values read for m² written: bound by bandwidth. An invocation takes a tile of 2 channels, or of 4
 *   through textures.
 * @example
 * ```ts
 * import { run, winogradOutput } from "sada-jem/kernels";
 * import assert from "node:assert/strict";
 *
 * const flags = { bias: true, accumulate: false };
 * const shape = { batch: 1, height: 1, width: 2, channels: 4, outputs: 2, ...flags } as const;
 * const { output } = await run(winogradOutput, shape, {
 *   product: Array(16 * 4).fill(1),
 *   bias: [0, 0, 0, 100],
 *   output: 8,
 * });
 * // The first output sums nine products, the second adds six and subtracts three.
 * assert.deepEqual([...output], [9, 9, 9, 109, 3, 3, 3, 103]);
 * ```
 */
export const winogradOutput: Kernel<WinogradOutputShape, "product" | "bias" | "output"> = withTextures({
  name: "winograd_output",
  wgsl: inPairs(wgsl),
  entryPoint: winogradEntryPoint,
  bindings: [
    {
      name: "product",
      access: "read",
      bytes: (shape) =>
        bytes32(winogradValues(shape.outputs) * winogradTiles(shape, shape.outputs).count * shape.channels),
    },
    { name: "bias", access: "read", bytes: ({ bias, channels }) => bytes32(bias ? channels : 1) },
    {
      name: "output",
      access: "read-write",
      alias: "Output",
      bytes: ({ batch, height, width, channels }) => bytes32(batch * height * width * channels),
    },
  ],
  constants: ({ height, width, channels, bias, accumulate }) => {
    requireFourChannels(channels);
    return { height, width, channels, addBias: Number(bias), accumulate: Number(accumulate) };
  },
  workgroups: (shape) => foldWorkgroups(winogradTiles(shape, shape.outputs).count * shape.channels / 2),
}, {
  wgsl,
  workgroups: (shape) => foldWorkgroups(winogradTiles(shape, shape.outputs).count * shape.channels / 4),
  entryPoint: (shape) => `${winogradEntryPoint(shape)}ThroughTextures`,
});
